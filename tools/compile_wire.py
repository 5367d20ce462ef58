"""Compile doors/wire/weaviate.proto to the descriptors that the gRPC door loads.

python tools/compile_wire.py [OUTPUT]
"""

import sys
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

WIRE = Path(__file__).resolve().parent.parent / "src" / "nearimage" / "doors" / "wire"


def compile_wire(output: Path) -> None:
    """Write the descriptor set, with everything it imports.

    Raises:
        SystemExit: the description does not compile.
    """
    include = Path(grpc_tools.__file__).parent / "_proto"
    arguments = ["protoc", f"-I{WIRE}", f"-I{include}", "--include_imports", f"--descriptor_set_out={output}", "weaviate.proto"]
    if protoc.main(arguments):
        raise SystemExit("weaviate.proto does not compile; see above")


if __name__ == "__main__":
    compile_wire(Path(sys.argv[1]) if len(sys.argv) > 1 else WIRE / "weaviate.binpb")

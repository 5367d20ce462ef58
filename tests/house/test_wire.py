"""The compiled messages are those of the description."""

from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from tools.compile_wire import WIRE, compile_wire


def test_the_descriptors_are_compiled_from_the_description(tmp_path: Path) -> None:
    """An edit of the .proto without `make wire` would change nothing on the wire."""
    compile_wire(tmp_path / "fresh.binpb")

    fresh, committed = (FileDescriptorSet.FromString(path.read_bytes()) for path in (tmp_path / "fresh.binpb", WIRE / "weaviate.binpb"))
    assert {file.name: file for file in fresh.file}["weaviate.proto"] == {file.name: file for file in committed.file}["weaviate.proto"]

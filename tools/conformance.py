"""Run the official Python clients' own server tests, unmodified, against a server on this tree, and print how many pass.

    make conformance                                    all of the v4 client's that a real Weaviate passes, about ten minutes
    python -m tools.conformance py4 test_tenants.py     some files
    python -m tools.conformance py3                     the v3 client's, two minutes

The tests and the list of those that Weaviate passes are not part of this repository: they are expected in `../shared/conformance`, or in the folder that
NEARIMAGE_SHARED names. The tests talk to fixed ports (8080, 50051, 8090, 50061), which must be free; the server itself has others. The first run installs
the client and its tests into `.cache/conformance`.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.servers import start_server

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("NEARIMAGE_SHARED", ROOT.parent / "shared"))
SETTINGS = {
    "QUERY_DEFAULTS_LIMIT": "25",
    "AUTOSCHEMA_ENABLED": "false",
    "GRPC_MAX_MESSAGE_SIZE": "100000000",
    "ENABLE_MODULES": "backup-filesystem,generative-dummy,reranker-dummy",
}
"""What the tests count on."""


def main() -> int:
    """Returns the exit code of the runner: 0 where every test passed."""
    asked = sys.argv[1:] or ["py4"]
    runner = SHARED / "conformance" / "run.py"
    if not runner.exists():
        print(f"there is no {runner}: say with NEARIMAGE_SHARED where the client's tests are")
        return 1
    with tempfile.TemporaryDirectory(prefix="nearimage-conformance-") as folder:
        server = start_server(Path(folder) / "data", environment=SETTINGS | {"BACKUP_FILESYSTEM_PATH": str(Path(folder) / "backups")})
        home = ROOT / ".cache" / "conformance"
        ports = ["--http", str(server.http_port), "--grpc", str(server.grpc_port)]
        try:
            return subprocess.run([sys.executable, runner, *asked, *ports, "--home", home], check=False).returncode
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())

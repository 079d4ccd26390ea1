"""Write the Python code that speaks recado.proto: for the server, and for the command line, installed alone.

python proto/generate.py                 into the tree
python proto/generate.py --into FOLDER   into the same places below another folder, to compare
"""

import argparse
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parent.parent
CONTRACT = "recado/v1/recado.proto"
# By folder, the package that it is imported as.
COPIES = {
    "apps/realtime/grpc/generated": "apps.realtime.grpc.generated",
    "clients/cli/src/recado_cli/generated": "recado_cli.generated",
}
# What each folder says of itself.
ABOUT = (
    '"""Written by proto/generate.py from proto/recado/v1/recado.proto. Change that, and run `make proto`."""\n'
)
# What others would tidy up there would come back: one unused import that is removed, and it cannot be loaded.
UNTOUCHED = "# ruff: noqa\n# fmt: off\n"


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the Python code that speaks recado.proto.")
    parser.add_argument("--into", type=Path, default=ROOT, help="another folder than this project's own")
    into: Path = parser.parse_args().into
    with tempfile.TemporaryDirectory() as folder:
        compile_into(Path(folder))
        for copy, package in COPIES.items():
            write_copy(Path(folder) / "recado" / "v1", into / copy, package)
    return 0


def compile_into(folder: Path) -> None:
    # The type stubs come from mypy-protobuf, which protoc finds beside this interpreter.
    plugins = [
        f"--plugin=protoc-gen-{name}={Path(sys.executable).parent / f'protoc-gen-{name}'}"
        for name in ("mypy", "mypy_grpc")
    ]
    outputs = [f"--{name}_out={folder}" for name in ("python", "grpc_python", "mypy", "mypy_grpc")]
    well_known = files("grpc_tools") / "_proto"
    command = ["protoc", f"-I{ROOT / 'proto'}", f"-I{well_known}", *plugins, *outputs, CONTRACT]
    if protoc.main(command):
        raise SystemExit("protoc could not read the contract; what it says is above.")


def write_copy(made: Path, folder: Path, package: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").write_text(ABOUT)
    for file in sorted(made.iterdir()):
        # protoc imports by the folders of the contract; the code lives in another package.
        text = file.read_text().replace("from recado.v1 import", f"from {package} import")
        text = text.replace("  # noqa: Y015", "")  # of a linter that is not ours
        (folder / file.name).write_text(UNTOUCHED + text)


if __name__ == "__main__":
    sys.exit(main())

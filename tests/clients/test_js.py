"""The browser SDK: its own tests under Node, its types, and a real browser that loads it as it is."""

import hashlib
import platform
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Page, sync_playwright

from apps.files.models import Upload
from local import browser_tools
from local.browser_tools import SDK, ToolMissing
from local.ports import HOST, free_port
from tests.cast import House, as_member
from tests.clients.checking import uploads_checked
from tests.server import Server

# Large enough to go straight to the storage.
SIZE = 17 * 1024 * 1024
REFUSED = """
async (port) => {
    const { ChatStatusClient } = await import('/chat-status-client.js');
    const url = `ws://127.0.0.1:${port}/ws/status`;
    const client = new ChatStatusClient({ url, getToken: async () => 'token' });
    const states = [];
    const failed = new Promise((resolve) => client.on('state', ({ state, code }) => {
        states.push([state, code]);
        if (state === 'waiting') resolve();
    }));
    client.connect();
    await failed;
    client.disconnect();
    return states;
}
"""
UPLOAD = """
async ([token, size]) => {
    const { upload } = await import('/static/recado/uploads.js');
    const phases = new Set();
    const onProgress = ({ phase, loaded }) => phases.add(loaded === size ? `${phase}: all` : `${phase}: some`);
    const file = new File([new Uint8Array(size).fill(7)], 'pão "de" queijo.bin');
    return [await upload(file, { url: '/', token, onProgress }), [...phases]];
}
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named so by its base
        pass


@pytest.fixture
def site() -> Iterator[str]:
    """The modules of the SDK as a plain web server gives them out."""
    server = ThreadingHTTPServer((HOST, 0), partial(Quiet, directory=str(SDK / "src")))
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://{HOST}:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(site: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_tools.chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(site)
        yield page
        browser.close()


def run(*command: str | Path) -> None:
    done = subprocess.run(
        [browser_tools.node(), *command], cwd=SDK, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"\n{done.stdout}{done.stderr}"


def test_sdk_keeps_what_it_promises() -> None:
    tests = sorted((SDK / "test").glob("*.test.js"))
    assert tests
    run("--test", "--test-reporter=dot", "--test-timeout=30000", *tests)


def test_sdk_types_fit() -> None:
    run(browser_tools.typescript(), "--project", "tsconfig.json")


def test_lock_file_names_no_registry() -> None:
    assert '"resolved"' not in browser_tools.LOCK_FILE.read_text()


def test_sdk_works_in_a_browser_as_it_is(page: Page) -> None:
    states = page.evaluate(REFUSED, free_port())
    assert states == [["connecting", None], ["waiting", 1006], ["closed", None]]


@pytest.mark.django_db(transaction=True)
def test_sdk_uploads_from_a_browser(server: Server, server_store: None, aurora: House) -> None:
    token = as_member(aurora.owner).credential.removeprefix("Bearer ")
    visits = [
        (HOST, "direct"),
        # Another origin than that of the storage, which does not allow it.
        ("localhost", "streamed"),
    ]
    found = []
    with uploads_checked(), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_tools.chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        for host, _ in visits:
            page.goto(f"{server.url.replace(HOST, host)}/healthz")
            found.append(page.evaluate(UPLOAD, [token, SIZE]))
        browser.close()
    for (_, way), (file, phases) in zip(visits, found, strict=True):
        assert (file["name"], file["size"]) == ("pão _de_ queijo.bin", SIZE)
        assert file["sha256"] == hashlib.sha256(b"\x07" * SIZE).hexdigest()
        assert Upload.across_organizations.get(pk=file["id"]).way == way
        assert phases[-1] == "ready: all"
        assert ("checking: all" in phases) is (way == "direct")


def test_chromium_is_there_where_none_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):  # npm brings one for this only
        with pytest.raises(ToolMissing, match="Install Chromium"):
            browser_tools.chromium()
        return
    program = browser_tools.chromium()
    monkeypatch.undo()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        assert browser.new_page().evaluate("6 * 7") == 42
        browser.close()


def test_chromium_of_the_machine_is_preferred(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in reversed(browser_tools.ON_PATH):
        program = tmp_path / name
        program.touch(0o755)
        assert browser_tools.chromium() == program
    monkeypatch.setenv("CHROMIUM", sys.executable)
    assert browser_tools.chromium() == Path(sys.executable)


def test_chromium_that_is_named_and_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    with pytest.raises(ToolMissing, match="CHROMIUM names no program"):
        browser_tools.chromium()

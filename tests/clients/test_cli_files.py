"""Files by the command line: a process of its own, the real server, and a relay between them that can fail."""

import hashlib
import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from recado_cli.failures import BadUsage, Failed
from recado_cli.local_file import FileChanged, LocalFile
from recado_cli.names import safe_name
from recado_cli.partial import Partial
from recado_cli.threads import Shared

from apps.accounts.roles import Scope
from apps.files.models import File, Upload
from apps.files.stores import store
from tests.cast import House, with_key
from tests.clients.checking import uploads_checked
from tests.clients.relay import CUT, Relay, run_relay
from tests.clients.terminal import Cli, Running
from tests.server import Server

pytestmark = pytest.mark.django_db(transaction=True)

MB = 1024 * 1024
# `recado`, and at last how many bytes it held at most.
MEASURED = (
    "import sys, tracemalloc; from recado_cli.main import main; tracemalloc.start(); code = main();"
    "print(tracemalloc.get_traced_memory()[1]); sys.exit(code)"
)


@pytest.fixture
def relay(server: Server, server_store: None) -> Iterator[Relay]:
    with run_relay(server.url) as relay, uploads_checked():
        yield relay


@pytest.fixture
def credential(aurora: House) -> str:
    return with_key(aurora.organization).credential


@pytest.fixture
def cli(relay: Relay, credential: str, tmp_path: Path) -> Cli:
    cli = Cli(tmp_path / "config", relay.url, "")
    cli.environment |= {"RECADO_URL": relay.url, "RECADO_API_KEY": credential.removeprefix("Api-Key ")}
    return cli


def written(path: Path, size: int) -> Path:
    """Something that cannot be taken for anything else."""
    path.write_bytes(os.urandom(size))
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def kept(server: Server, credential: str, content: bytes, name: str = "pão.bin") -> dict[str, Any]:
    with server.client(credential) as client:
        answer = client.post("/v1/files", files={"file": (name, content)})
    assert answer.status_code == 201, answer.text
    file: dict[str, Any] = answer.json()
    return file


def resuming(errors: list[str]) -> list[str]:
    """The command that it told to go on with."""
    return errors[0].split("go on with: recado ")[1].split()


def test_upload_of_a_small_file_goes_through_the_server(cli: Cli, relay: Relay, tmp_path: Path) -> None:
    file = written(tmp_path / "bolo (grande) ção.bin", 1 * MB)
    done = cli("upload", str(file))
    assert (done.exit_code, done.errors) == (0, "")
    (answer,) = done.lines
    assert (answer["name"], answer["size"], answer["sha256"]) == (file.name, 1 * MB, sha256(file))
    assert Upload.across_organizations.get().way == "streamed"
    assert relay.parts == []


def test_upload_of_a_large_file_goes_straight_to_the_storage_and_back(
    cli: Cli, relay: Relay, tmp_path: Path
) -> None:
    file = written(tmp_path / "festa.bin", 40 * MB)
    done = cli.run(["-c", MEASURED, "upload", str(file)])
    assert done.exit_code == 0, done.errors
    answer, held = done.lines
    assert (answer["name"], answer["size"], answer["sha256"]) == ("festa.bin", 40 * MB, sha256(file))
    assert sorted(relay.parts) == [1, 2, 3]
    assert not any("Authorization" in headers for headers in relay.part_headers)
    assert held < 8 * MB

    folder = tmp_path / "back"
    folder.mkdir()
    done = cli.run(["-c", MEASURED, "download", answer["id"], str(folder)])
    path, held = done.output.splitlines()
    assert sha256(folder / "festa.bin") == sha256(file)
    assert path == str(folder / "festa.bin")
    assert int(held) < 8 * MB


def test_upload_goes_through_the_server_where_that_is_wished(cli: Cli, relay: Relay, tmp_path: Path) -> None:
    file = written(tmp_path / "festa.bin", 17 * MB)
    (answer,) = cli("upload", "--streamed", str(file)).lines
    assert answer["sha256"] == sha256(file)
    assert relay.parts == []


@pytest.mark.parametrize("size", [0, 10])
def test_upload_goes_straight_to_the_storage_where_that_is_wished(
    cli: Cli, relay: Relay, tmp_path: Path, size: int
) -> None:
    file = written(tmp_path / "small.txt", size)
    (answer,) = cli("upload", "--direct", str(file)).lines
    assert answer["sha256"] == sha256(file)
    assert relay.parts == [1]


def test_parts_that_fail_are_sent_again_by_themselves(cli: Cli, relay: Relay, tmp_path: Path) -> None:
    relay.faults |= {1: [500], 2: [CUT], 3: [403]}
    file = written(tmp_path / "festa.bin", 34 * MB)
    done = cli("upload", str(file))
    assert done.exit_code == 0, done.errors
    assert done.lines[0]["sha256"] == sha256(file)
    assert sorted(relay.parts) == [1, 2, 3]
    assert not any(relay.faults.values())


def test_part_that_is_forbidden_twice_is_told(cli: Cli, relay: Relay, tmp_path: Path) -> None:
    relay.faults[1] = [403, 403]
    done = cli("upload", "--direct", str(written(tmp_path / "festa.bin", 2 * MB)))
    assert done.exit_code == 1
    assert "The storage does not take part 1 (403)." in done.errors
    assert "Go on with: recado upload --resume" in done.errors


def test_upload_that_the_storage_forgot_is_told(cli: Cli, relay: Relay, tmp_path: Path) -> None:
    relay.faults[1] = [404]
    done = cli("upload", "--direct", str(written(tmp_path / "festa.bin", 2 * MB)))
    assert (done.exit_code, "knows this upload no more" in done.errors) == (1, True)
    assert "Go on with" not in done.errors


def test_upload_goes_on_after_a_kill_with_what_is_missing(cli: Cli, relay: Relay, tmp_path: Path) -> None:
    file = written(tmp_path / "festa.bin", 34 * MB)
    relay.held = {3}
    with Running(cli, "upload", str(file)) as upload:
        upload.wait_until(lambda: relay.waiting == [3] and len(relay.parts) == 2)
        upload.stop(signal.SIGKILL)
        again = resuming(upload.errors)
    relay.held = set()
    done = cli(*again)
    assert done.exit_code == 0, done.errors
    assert done.lines[0]["sha256"] == sha256(file)
    assert relay.parts[2:] == [3]
    assert cli(*again).lines == done.lines  # it was there already


def test_interrupted_upload_had_four_parts_under_way_and_says_how_to_go_on(
    cli: Cli, relay: Relay, tmp_path: Path
) -> None:
    relay.held = {1, 2, 3, 4, 5}
    file = tmp_path / "festa.bin"
    file.touch()
    os.truncate(file, 80 * MB)
    with Running(cli, "upload", str(file)) as upload:
        upload.wait_until(lambda: len(relay.waiting) >= 4)
        assert upload.stop() == 130
        assert sorted(relay.waiting) == [1, 2, 3, 4]
        assert upload.errors[-1] == upload.errors[0].replace("if it is cut off,", "interrupted;")


def begun(server: Server, credential: str, size: int) -> str:
    with server.client(credential) as client:
        return str(client.post("/v1/uploads", json={"name": "festa.bin", "size": size}).json()["id"])


def test_upload_does_not_go_on_with_another_file(
    cli: Cli, server: Server, credential: str, tmp_path: Path
) -> None:
    upload_id = begun(server, credential, 17 * MB)
    upload = Upload.across_organizations.get()
    store().put_part(upload.key, upload.store_upload, 1, os.urandom(16 * MB))

    done = cli("upload", "--resume", upload_id, str(written(tmp_path / "shorter", 16 * MB)))
    assert (done.exit_code, "is another file" in done.errors) == (2, True)
    done = cli("upload", "--resume", upload_id, str(written(tmp_path / "other", 17 * MB)))
    assert (done.exit_code, "wrong_checksum" in done.errors) == (1, True)
    assert "Go on with" not in done.errors
    assert not File.across_organizations.exists()


def test_upload_that_was_given_up_is_told(cli: Cli, server: Server, credential: str, tmp_path: Path) -> None:
    upload_id = begun(server, credential, 10)
    with server.client(credential) as client:
        client.post(f"/v1/uploads/{upload_id}/abort")
    done = cli("upload", "--resume", upload_id, str(written(tmp_path / "festa.bin", 10)))
    assert (done.exit_code, "This upload is aborted" in done.errors) == (1, True)


def test_upload_renews_a_token_that_ended(cli: Cli, aurora: House, tmp_path: Path) -> None:
    cli.environment = {name: value for name, value in cli.environment.items() if not name.startswith("RECADO_")}
    assert cli.log_in(aurora).exit_code == 0
    profile = json.loads(cli.kept.read_text())
    for way in ("--direct", "--streamed"):
        # One that the server refuses although it looks fresh, as after its keys were changed.
        cli.kept.write_text(json.dumps(json.loads(cli.kept.read_text()) | {"access": "e30.e30.e30"}))
        done = cli("upload", way, str(written(tmp_path / "festa.bin", 10)))
        assert done.exit_code == 0, done.errors
    assert json.loads(cli.kept.read_text())["refresh"] != profile["refresh"]


def test_upload_shows_at_a_terminal_how_far_it_is(cli: Cli, tmp_path: Path) -> None:
    shown = cli.at_terminal("upload", "--direct", str(written(tmp_path / "festa.bin", 2 * MB)))
    assert "100%  2 MB of 2 MB" in shown
    assert "checking…" in shown


def test_upload_of_what_is_no_file_is_told(cli: Cli, tmp_path: Path) -> None:
    assert cli("upload", str(tmp_path / "missing")).exit_code == 2
    with pytest.raises(BadUsage, match="is no file"):
        LocalFile(tmp_path)


def test_file_that_changes_while_it_is_read_is_told(tmp_path: Path) -> None:
    file = LocalFile(written(tmp_path / "festa.bin", 1000))
    file.must_be_unchanged()
    written(file.path, 900)
    with pytest.raises(FileChanged):
        file.must_be_unchanged()
    with pytest.raises(FileChanged):
        list(file.read(0, 1000))


def test_parts_are_begun_in_order_by_four_threads() -> None:
    begun: list[int] = []
    four = threading.Barrier(4)

    def work(number: int) -> int:
        begun.append(number)
        four.wait(10)
        return number * 10

    results = Shared(range(1, 13), work).run(4, lambda: None)
    assert results == {number: number * 10 for number in range(1, 13)}
    assert [set(begun[at : at + 4]) for at in (0, 4, 8)] == [{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}]


def test_part_that_fails_for_good_ends_the_others() -> None:
    begun: list[int] = []
    threads = set()
    is_told = threading.Event()

    def work(number: int) -> None:
        begun.append(number)
        threads.add(threading.current_thread())
        if number == 0:
            raise Failed("no")
        is_told.wait(10)

    with pytest.raises(Failed, match="no"):
        Shared(range(100), work).run(4, lambda: None)
    is_told.set()
    for thread in threads:
        thread.join()
    assert len(begun) <= 4


def test_upload_without_the_scope_is_told(cli: Cli, aurora: House, tmp_path: Path) -> None:
    key = with_key(aurora.organization, Scope.FILES_READ).credential.removeprefix("Api-Key ")
    cli.environment["RECADO_API_KEY"] = key
    file = written(tmp_path / "festa.bin", 10)
    done = cli("upload", str(file))
    assert (done.exit_code, "files:write" in done.errors) == (1, True)


def test_download_goes_on_where_it_broke_off(
    cli: Cli, relay: Relay, server: Server, credential: str, tmp_path: Path
) -> None:
    content = os.urandom(3 * MB)
    file = kept(server, credential, content)
    (tmp_path / f"{file['id']}.part").write_bytes(content[: 1 * MB])
    done = cli("download", file["id"], str(tmp_path / "pão.bin"))
    assert done.exit_code == 0, done.errors
    assert (tmp_path / "pão.bin").read_bytes() == content
    assert relay.ranges == [f"bytes={1 * MB}-"]
    assert not list(tmp_path.glob("*.part"))


def test_download_that_is_not_what_was_kept_is_removed(
    cli: Cli, server: Server, credential: str, tmp_path: Path
) -> None:
    file = kept(server, credential, os.urandom(1000))
    (tmp_path / f"{file['id']}.part").write_bytes(b"something else")
    done = cli("download", file["id"], str(tmp_path / "pão.bin"))
    assert (done.exit_code, "not what the server has" in done.errors) == (1, True)
    assert not (tmp_path / "pão.bin").exists()
    assert not list(tmp_path.glob("*.part"))


def test_download_overwrites_only_where_that_is_wished(
    cli: Cli, relay: Relay, server: Server, credential: str, tmp_path: Path
) -> None:
    file = kept(server, credential, b"new")
    target = tmp_path / "pão.bin"
    target.write_text("old")
    refused = cli("download", file["id"], str(target))
    assert (refused.exit_code, "--force" in refused.errors, target.read_text()) == (1, True, "old")
    assert relay.ranges == []
    assert cli("download", "--force", file["id"], str(target)).exit_code == 0
    assert target.read_text() == "new"


def test_download_overwrites_nothing_that_appeared_meanwhile(tmp_path: Path) -> None:
    target = tmp_path / "pão.bin"
    with Partial(tmp_path / "x.part") as partial:
        partial.append(b"new")
        target.write_text("old")
        with pytest.raises(Failed, match="--force"):
            partial.become(target, force=False)
    assert target.read_text() == "old"


def test_download_of_what_is_not_there_is_told(cli: Cli, tmp_path: Path) -> None:
    assert cli("download", "0199f3a2-7c1e-7d3b-9a54-2f6c8e1b4d70", str(tmp_path / "x")).exit_code == 1
    assert list(tmp_path.glob("*.part")) == []


def test_names_from_elsewhere_lead_nowhere() -> None:
    for given, name in {
        "pão de queijo.pdf": "pão de queijo.pdf",
        "../../etc/passwd": "passwd",
        "C:\\windows\\system.ini": "system.ini",
        "..": "file",
        "": "file",
        ".bashrc": "bashrc",
        "-rf": "rf",
        "-.profile": "profile",
        "nul.txt": "_nul.txt",
        "a\x1b[2J\u202etxt.exe": "a_[2J_txt.exe",
    }.items():
        assert safe_name(given) == name
    long = safe_name("ç" * 300 + ".pdf")
    assert long.endswith("ç.pdf")
    assert len(long.encode()) <= 200

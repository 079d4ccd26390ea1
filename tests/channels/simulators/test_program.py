"""The real program, started as the demo and the chaos runs start it."""

import asyncio
import re
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from apps.channels.simulators.__main__ import main
from tests.channels.simulators.stage import NUMBER, SECRET, Receiver, Stage, in_order_of, receiving, until


async def start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "apps.channels.simulators",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def running(receiver: Receiver, *more: str) -> AsyncIterator[tuple[Stage, asyncio.subprocess.Process]]:
    program = await start(
        *("--port", "0", "--callback-url", receiver.url, "--app-secret", SECRET, "--sent-after", "0"),
        *("--delivered-after", "0.02", "--read-after", "0.04", "--group-ms", "10", *more),
    )
    try:
        assert program.stdout is not None
        line = (await asyncio.wait_for(program.stdout.readline(), 10)).decode()
        found = re.search(r"Simulated providers on (http://127\.0\.0\.1:\d+),", line)
        assert found, line
        assert SECRET not in line
        async with aiohttp.ClientSession() as session:
            yield Stage(found[1], receiver, session), program
    finally:
        if program.returncode is None:
            program.kill()
        await program.communicate()


async def test_program_plays_and_stops_when_it_is_asked_to() -> None:
    async with receiving() as receiver, running(receiver) as (stage, program):
        assert (await stage.whatsapp("m-1")).status == 200
        await until(lambda: in_order_of(receiver.statuses, "m-1") == ["sent", "delivered", "read"])
        await stage.order({"kind": "slow", "seconds": 60})
        waiting = asyncio.create_task(stage.whatsapp("m-2"))
        await stage.tally_when(lambda tally: tally["accepted"] == 2)

        began = time.monotonic()
        program.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(program.wait(), 5) == 0
        assert time.monotonic() - began < 2
        with pytest.raises(aiohttp.ClientError):
            await waiting
        assert program.stderr is not None
        assert await program.stderr.read() == b""
        assert program.stdout is not None
        assert b"3 statuses not yet posted" in await program.stdout.read()


def test_port_that_is_taken_is_said_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        arguments = ["--port", str(port), "--callback-url", "http://127.0.0.1:1/", "--app-secret", SECRET]
        assert main(arguments) == 1
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"cannot listen on 127.0.0.1:{port}: ")
    assert "address already in use" in line.lower()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--callback-url", "http://127.0.0.1:1/"],
        ["--callback-url", "ftp://127.0.0.1/", "--app-secret", "x"],
        ["--callback-url", "http://127.0.0.1:1/", "--app-secret", "x", "--port", "70000"],
        ["--callback-url", "http://127.0.0.1:1/", "--app-secret", "x", "--port", "none"],
        ["--callback-url", "http://127.0.0.1:1/", "--app-secret", "x", "--sent-after", "-1"],
        ["--callback-url", "http://127.0.0.1:1/", "--app-secret", "x", "--sent-after", "nan"],
        ["--callback-url", "http://127.0.0.1:1/", "--app-secret", "x", "--group-ms", "0"],
    ],
)
def test_arguments_that_make_no_sense_are_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "error: " in capsys.readouterr().err


async def test_program_needs_no_django() -> None:
    code = "import sys, apps.channels.simulators.__main__; sys.exit('django' in sys.modules)"
    program = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    assert await asyncio.wait_for(program.wait(), 10) == 0


async def test_address_beyond_this_machine_must_be_asked_for_and_is_warned_of() -> None:
    program = await start(
        *("--host", "0.0.0.0", "--port", "0", "--callback-url", "http://127.0.0.1:1/", "--app-secret", SECRET)
    )
    try:
        assert program.stdout is not None
        line = await asyncio.wait_for(program.stdout.readline(), 10)
        assert b"can be reached from other machines" in line
    finally:
        program.kill()
        await program.communicate()
    assert NUMBER not in line.decode()

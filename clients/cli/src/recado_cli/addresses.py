"""Where the server is, and whether a secret may travel there."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from recado_cli.failures import BadUsage

DEFAULT_URL = "http://127.0.0.1:8000"
DEFAULT_GRPC_PORT = 50051


@dataclass(frozen=True)
class Addresses:
    url: str
    grpc: str
    # Whether plain text may leave this machine.
    insecure: bool = False

    @classmethod
    def of(cls, url: str, grpc: str = "", *, insecure: bool = False) -> "Addresses":
        parts = urlsplit(url)
        try:
            is_known = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:  # a port that is none
            is_known = False
        if not is_known or parts.username:
            raise BadUsage(f"{url!r} is no address of a server. It looks like https://recado.example.com.")
        if parts.scheme == "http" and not insecure and not is_loopback(parts.hostname or ""):
            raise BadUsage(
                f"{url} would carry your credentials in plain text. Use https://, or add --insecure if you must."
            )
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return cls(url.rstrip("/"), grpc or f"{host}:{DEFAULT_GRPC_PORT}", insecure)

    @property
    def grpc_target(self) -> str:
        return self._grpc_parts()[1]

    @property
    def grpc_is_plain(self) -> bool:
        """Plain text to this machine; TLS beyond it, unless somebody insisted. A scheme says so too."""
        scheme, target = self._grpc_parts()
        is_near = is_loopback(urlsplit(f"//{target}").hostname or "")
        if scheme == "http" and not (is_near or self.insecure):
            raise BadUsage(f"{self.grpc} would carry your credentials in plain text. Add --insecure if you must.")
        return scheme == "http" or (not scheme and (is_near or self.insecure))

    def _grpc_parts(self) -> tuple[str, str]:
        scheme, separator, target = self.grpc.rpartition("://")
        if separator and scheme not in {"http", "https"}:
            raise BadUsage(f"{self.grpc!r} is no address of gRPC. It looks like recado.example.com:443.")
        return scheme, target.rstrip("/")


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

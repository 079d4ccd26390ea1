"""What a WebSocket brings along when it connects: where it comes from, who it is, and how it wants its frames."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from apps.realtime.hub import Hub
from apps.realtime.identity import Guest, Unknown

SUBPROTOCOL = "recado.v1"
_BEARER = "bearer."


@dataclass(frozen=True, slots=True)
class Handshake:
    headers: Mapping[bytes, bytes]
    query: Mapping[str, list[str]]
    subprotocols: list[str]

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> "Handshake":
        query = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=10)
        return cls(dict(scope["headers"]), query, list(scope.get("subprotocols", ())))

    @property
    def subprotocol(self) -> str | None:
        """The only one we speak, if it was offered."""
        return SUBPROTOCOL if SUBPROTOCOL in self.subprotocols else None

    @property
    def wants_batches(self) -> bool:
        return self._asked("batch") == "1"

    def is_from_here(self) -> bool:
        """Whether the page behind it is ours, or one of those that may. Programs name none."""
        origin = self._header(b"origin")
        if origin is None or origin in settings.CORS_ALLOWED_ORIGINS:
            return True
        host = self._header(b"host") or ""
        domain, _port = split_domain_port(host)
        return urlsplit(origin).netloc == host and validate_host(domain, settings.ALLOWED_HOSTS)

    async def guest(self, hub: Hub) -> Guest | None:
        """None when it will say so in its first frame. Raises Unknown."""
        scheme, _, credential = (self._header(b"authorization") or "").partition(" ")
        if scheme:
            if scheme.lower() not in {"bearer", "api-key"}:
                raise Unknown
            return await hub.recognize(credential.strip())
        ticket = self._asked("ticket")
        if ticket is not None:
            return await hub.redeem(ticket)
        for offered in self.subprotocols:
            if offered.startswith(_BEARER):
                return await hub.recognize(offered.removeprefix(_BEARER))
        token = self._asked("access_token")
        # Addresses are written down on the way. A token in one ends soon; a key would not.
        return await hub.recognize(token, keys=False) if token is not None else None

    def _asked(self, name: str) -> str | None:
        return self.query[name][0] if name in self.query else None

    def _header(self, name: bytes) -> str | None:
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

"""A typed reader of environment variables, which says what is wrong with all of them at once.

Every variable can also be given as `NAME_FILE`, a path to a file that holds the value: how Docker and
Kubernetes hand over secrets.
"""

import os
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}


class Url(NamedTuple):
    text: str
    scheme: str
    username: str
    password: str
    host: str
    port: int | None
    path: str
    query: dict[str, str]


class Env:
    """Reads go on after a problem, with a value of the right type, so that `check` can name every problem."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.problems: list[str] = []
        # What was asked for, with what holds where nothing is said; None: somebody has to say it.
        self.defaults: dict[str, object] = {}

    def text(self, name: str, default: str | None = None, *, hint: str = "", least: int = 0) -> str:
        def parse(raw: str) -> str:
            if len(raw) < least:
                raise ValueError
            return raw

        return self._read(name, default, parse, "", hint)

    def integer(self, name: str, default: int | None = None, *, hint: str = "", least: int = 0) -> int:
        def parse(raw: str) -> int:
            number = int(raw)
            if number < least:
                raise ValueError
            return number

        return self._read(name, default, parse, least, hint or f"a whole number, {least} or more")

    def ratio(self, name: str, default: float | None = None) -> float:
        def parse(raw: str) -> float:
            number = float(raw)
            if not 0 <= number <= 1:
                raise ValueError
            return number

        return self._read(name, default, parse, 0.0, "a number from 0 to 1, such as 0.1")

    def flag(self, name: str, default: bool | None = None, *, hint: str = "") -> bool:
        def parse(raw: str) -> bool:
            if raw.lower() not in TRUE | FALSE:
                raise ValueError
            return raw.lower() in TRUE

        return self._read(name, default, parse, False, hint or "true or false")

    def words(self, name: str, default: list[str] | None = None, *, hint: str = "") -> list[str]:
        """A comma-separated list."""

        def parse(raw: str) -> list[str]:
            return [word.strip() for word in raw.split(",") if word.strip()]

        return self._read(name, default, parse, [], hint or "a list, separated by commas")

    def networks(self, name: str) -> list[IPv4Network | IPv6Network]:
        def parse(raw: str) -> list[IPv4Network | IPv6Network]:
            return [ip_network(word.strip()) for word in raw.split(",") if word.strip()]

        return self._read(name, [], parse, [], "networks such as 10.0.0.0/8, separated by commas")

    def address(self, name: str) -> tuple[str, int] | None:
        """Where to listen; None where nothing is said."""

        def parse(raw: str) -> tuple[str, int]:
            host, _colon, port = raw.rpartition(":")
            if not host or not 0 <= int(port) < 65536:
                raise ValueError
            return host.strip("[]"), int(port)

        nowhere = ("", 0)
        found = self._read(name, nowhere, parse, nowhere, "an address to listen on, such as 0.0.0.0:9464")
        return None if found == nowhere else found

    def named_keys(self, name: str, *, is_valid: Callable[[str], bool], hint: str = "") -> dict[str, str]:
        """`name:key` words separated by commas; their order is kept, for the first is the one in use."""

        def parse(raw: str) -> dict[str, str]:
            words = [word.strip().partition(":") for word in raw.split(",") if word.strip()]
            keys = {word: key for word, _colon, key in words}
            if not keys or len(keys) < len(words) or not all(keys) or not all(map(is_valid, keys.values())):
                raise ValueError
            return keys

        return self._read(name, None, parse, {}, hint)

    def choice(self, name: str, default: str, *, among: tuple[str, ...]) -> str:
        def parse(raw: str) -> str:
            if raw.lower() not in among:
                raise ValueError
            return raw.lower()

        return self._read(name, default, parse, default, " or ".join(among))

    def url(self, name: str, default: str | None = None, *, schemes: tuple[str, ...], hint: str = "") -> Url:
        def parse(raw: str) -> Url:
            parts = urlsplit(raw)
            if parts.scheme not in schemes or not parts.hostname:
                raise ValueError
            return Url(
                text=raw,
                scheme=parts.scheme,
                username=unquote(parts.username or ""),
                password=unquote(parts.password or ""),
                host=parts.hostname,
                port=parts.port,
                path=unquote(parts.path.lstrip("/")),
                query=dict(parse_qsl(parts.query)),
            )

        fallback = Url("", schemes[0], "", "", "", None, "", {})
        wanted = hint or f"a URL that starts with {' or '.join(f'{scheme}://' for scheme in schemes)}"
        return self._read(name, None if default is None else parse(default), parse, fallback, wanted)

    def check(self) -> None:
        """Call last: fails with every missing and bad variable, never with a value, which may be a secret."""
        distinct = dict.fromkeys(self.problems)
        if distinct:
            raise ImproperlyConfigured("\n".join(["The environment is not complete.", *distinct]))

    def _read[T](self, name: str, default: T | None, parse: Callable[[str], T], fallback: T, hint: str) -> T:
        self.defaults[name] = default
        raw = self._raw(name)
        if raw is None:
            if default is None:
                self.problems.append(
                    f"  {name} is missing. Set it (or {name}_FILE)" + (f": {hint}" if hint else "")
                )
            return fallback if default is None else default
        try:
            return parse(raw)
        except ValueError:
            self.problems.append(f"  {name} cannot be read. It must be {hint or 'text'}")
            return fallback

    def _raw(self, name: str) -> str | None:
        """An empty variable counts as missing: compose files and shells produce them by accident."""
        path = self._variables.get(f"{name}_FILE")
        if not path:
            return self._variables.get(name) or None
        if self._variables.get(name):
            self.problems.append(f"  {name} and {name}_FILE are both set. Keep one")
        try:
            return Path(path).read_text().strip() or None
        except OSError as error:
            self.problems.append(f"  {name}_FILE names {path}, which cannot be read: {error.strerror}")
            return None


# All settings read from this one, so that whoever checks it last sees every problem.
env = Env(os.environ)

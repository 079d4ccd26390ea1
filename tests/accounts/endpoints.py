"""Every endpoint that there is, read from the URLs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import IntConverter, UUIDConverter

from apps.accounts.api.installation_view import InstallationView
from apps.accounts.api.view import ApiView

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Endpoint:
    path: str
    view: type[ApiView]
    parameters: tuple[str, ...]

    @property
    def methods(self) -> list[str]:
        return [method for method in METHODS if hasattr(self.view, method)]

    def filled(self, value: object) -> str:
        path = self.path
        for name in self.parameters:
            path = path.replace(f"<uuid:{name}>", str(value)).replace(f"<int:{name}>", "1")
        return path


def endpoints(patterns: Any = None, prefix: str = "/") -> Iterator[Endpoint]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver) and path.startswith("/v1/"):
            yield from endpoints(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern) and path.startswith("/v1/"):
            view = getattr(pattern.callback, "cls", None)
            if isinstance(view, type) and issubclass(view, ApiView):
                converters = pattern.pattern.converters
                assert all(isinstance(each, UUIDConverter | IntConverter) for each in converters.values()), path
                yield Endpoint(path, view, tuple(converters))


_FOUND = list(endpoints())
# Those of the whole installation have rules of their own: tests/operations/test_installation_api.py.
INSTALLATION = [endpoint for endpoint in _FOUND if issubclass(endpoint.view, InstallationView)]
ALL = [endpoint for endpoint in _FOUND if endpoint not in INSTALLATION]
NAMING = [endpoint for endpoint in ALL if endpoint.parameters]
CALLS = [(endpoint, method) for endpoint in ALL for method in endpoint.methods]
NAMING_CALLS = [(endpoint, method) for endpoint in NAMING for method in endpoint.methods]


def named(calls: list[tuple[Endpoint, str]]) -> list[str]:
    return [f"{method.upper()} {endpoint.path}" for endpoint, method in calls]

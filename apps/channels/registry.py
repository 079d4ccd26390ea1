"""The connectors by name. The name is the file's: of the registry, of the queue, of the metrics."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from django.conf import settings

from apps.channels import connectors
from apps.channels.connector import Connector

NAMES = tuple(sorted(module.name for module in iter_modules(connectors.__path__)))


@cache
def connector_class(name: str) -> type[Connector]:
    module = import_module(f"{connectors.__name__}.{name}")
    found: type[Connector] = module.CONNECTOR
    return found


@cache
def connector(name: str) -> Connector:
    return connector_class(name)(settings.CONNECTOR_URLS.get(name, ""))


def queue_of(name: str) -> str:
    return f"dispatch.{name}"


def choices() -> list[tuple[str, str]]:
    return [(name, connector_class(name).label) for name in NAMES]

"""The connection to the gRPC server, and what it says when it refuses."""

from typing import Any

import grpc

from recado_cli.addresses import Addresses, is_loopback
from recado_cli.rest import AGENT

_OPTIONS: list[tuple[str, str | int]] = [
    ("grpc.primary_user_agent", AGENT),
    # A connection that died silently, such as that of a laptop that slept, is noticed.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # How soon to try again is decided here, in following.py.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 500),
]


def open_channel(addresses: Addresses) -> grpc.Channel:
    target = addresses.grpc_target
    options = list(_OPTIONS)
    if is_loopback(target.rpartition(":")[0].strip("[]")):
        options.append(("grpc.enable_http_proxy", 0))
    if addresses.grpc_is_plain:
        return grpc.insecure_channel(target, options)
    return grpc.secure_channel(target, grpc.ssl_channel_credentials(), options)


def told(error: grpc.RpcError, name: str) -> str:
    """A word of the trailing metadata."""
    for key, value in _call(error).trailing_metadata() or ():
        if key == name:
            return str(value)
    return ""


def status_of(error: grpc.RpcError) -> grpc.StatusCode:
    code: grpc.StatusCode = _call(error).code()
    return code


def detail_of(error: grpc.RpcError) -> str:
    return _call(error).details() or status_of(error).name.lower()


def _call(error: grpc.RpcError) -> Any:
    """Every error of a call is also the call; its types do not say so."""
    return error

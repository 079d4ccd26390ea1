"""Name servers, sockets and certificates, as the tests of outbound HTTP play them."""

from tests.core.test_guarded_http import connected, hooks_example, names

__all__ = ["connected", "hooks_example", "names"]

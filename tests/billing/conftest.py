"""The tables at which reminders are sent, as the tests of the dispatcher have them."""

from tests.messaging.conftest import _running_provider, account, desk, loop, provider

__all__ = ["_running_provider", "account", "desk", "loop", "provider"]

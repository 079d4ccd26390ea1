"""Our signatures against the library that the standard's authors publish."""

import base64

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from apps.core import clock, standard_webhooks

BODY = '{"type":"message","data":{"text":"Olá, João! 🥖"}}'.encode()


def now() -> int:
    return int(clock.now().timestamp())


def test_signature_is_what_receivers_expect() -> None:
    secret = standard_webhooks.new_secret()
    headers = standard_webhooks.headers([secret], "msg_1", now(), BODY)
    assert Webhook(secret).verify(BODY, headers)["type"] == "message"
    assert (headers["webhook-id"], headers["webhook-timestamp"].isdigit()) == ("msg_1", True)


def test_while_a_secret_is_replaced_either_verifies() -> None:
    old, new, other = (standard_webhooks.new_secret() for _ in range(3))
    headers = standard_webhooks.headers([new, old], "msg_1", now(), BODY)
    for secret in (old, new):
        assert Webhook(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(BODY, headers)


@pytest.mark.parametrize(
    "changed", [{"webhook-id": "msg_2"}, {"webhook-timestamp": str(now() - 1)}, {"webhook-signature": "v1,AAAA"}]
)
def test_what_was_changed_on_the_way_is_not_believed(changed: dict[str, str]) -> None:
    secret = standard_webhooks.new_secret()
    headers = standard_webhooks.headers([secret], "msg_1", now(), BODY)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, headers | changed)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY + b" ", headers)


def test_secrets_differ() -> None:
    made = {standard_webhooks.new_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(map(standard_webhooks.is_secret, made))


@pytest.mark.parametrize(
    ("secret", "is_one"),
    [
        ("whsec_" + base64.b64encode(bytes(24)).decode(), True),
        ("whsec_" + base64.b64encode(bytes(64)).decode(), True),
        ("whsec_" + base64.b64encode(bytes(23)).decode(), False),
        ("whsec_" + base64.b64encode(bytes(65)).decode(), False),
        (base64.b64encode(bytes(32)).decode(), False),
        ("whsec_" + base64.b64encode(bytes(32)).decode().rstrip("="), False),
        ("whsec_" + "*" * 40, False),
        ("whsec_é" + "A" * 39, False),
        ("whsec_", False),
        ("", False),
    ],
)
def test_secret_is_told_from_what_is_none(secret: str, is_one: bool) -> None:
    assert standard_webhooks.is_secret(secret) is is_one

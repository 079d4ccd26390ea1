"""Where providers call: a signature of ours, or nothing."""

import hashlib
import hmac
from typing import Any

import orjson
import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from apps.channels import accounts
from apps.messaging.api import hooks
from apps.messaging.api.hooks import MOST_BYTES
from apps.messaging.models import Message, MessageEvent, ProviderCallback
from tests.cast import CREDENTIALS, House, add_channel_account
from tests.messaging import history
from tests.messaging.callbacks import work_on_callbacks

pytestmark = pytest.mark.django_db
URL = "/v1/hooks/whatsapp_cloud"
SECRET = CREDENTIALS["whatsapp_cloud"]["app_secret"]
NUMBER = CREDENTIALS["whatsapp_cloud"]["phone_number_id"]


def callback(message: Message, status: str = "delivered", number: str = NUMBER) -> bytes:
    receipt = {
        "id": message.provider_id or "wamid.none",
        "status": status,
        "timestamp": "1760000000",
        "biz_opaque_callback_data": str(message.id),
    }
    value = {"metadata": {"phone_number_id": number}, "statuses": [receipt]}
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]})


def signed(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def call(body: bytes, signature: str | None = None, url: str = URL, **headers: str) -> Any:
    client = Client(enforce_csrf_checks=True)
    sent = {"X-Hub-Signature-256": signed(body) if signature is None else signature, **headers}
    return client.post(url, body, content_type="application/json", headers=sent)


def test_signed_callback_is_stored_and_moves_the_message(aurora: House) -> None:
    message = history.sent(aurora)
    answer = call(callback(message))
    assert (answer.status_code, answer.content) == (200, b"")
    assert ProviderCallback.objects.count() == 1
    work_on_callbacks()
    message.refresh_from_db()
    assert message.status == "delivered"
    assert not ProviderCallback.objects.exists()


def test_callback_that_comes_again_counts_once(aurora: House) -> None:
    message = history.sent(aurora)
    body = callback(message)
    assert [call(body).status_code for _ in range(3)] == [200, 200, 200]
    work_on_callbacks()
    assert MessageEvent.across_organizations.filter(message=message, kind="delivered").count() == 1


@pytest.mark.parametrize(
    "signature", ["", "sha256=", "sha256=00", "sha1=" + "0" * 40, "sha256=" + "0" * 64, "ção", signed(b"other")]
)
def test_forged_callback_is_refused_and_kept_nowhere(
    aurora: House, capsys: pytest.CaptureFixture[str], signature: str
) -> None:
    message = history.sent(aurora)
    body = callback(message, "read")
    answer = call(body, signature)
    assert (answer.status_code, answer.json()["code"]) == (403, "bad_signature")
    assert answer["Content-Type"] == "application/problem+json"
    assert not ProviderCallback.objects.exists()
    assert str(message.id) not in capsys.readouterr().out


def test_callback_about_nobodys_account_is_refused(aurora: House) -> None:
    assert call(callback(history.sent(aurora), number="999")).status_code == 403


def test_secret_of_one_house_says_nothing_about_anothers_messages(aurora: House, boreal: House) -> None:
    """Both have added the same number; each with its own secret."""
    theirs = history.sent(boreal)
    accounts.change(boreal.principal(), theirs.account, credentials={"app_secret": "the secret of boreal"})
    history.account_of(aurora)
    assert call(callback(theirs)).status_code == 200
    work_on_callbacks()
    theirs.refresh_from_db()
    assert theirs.status == "sent"


def test_number_that_strangers_name_again_and_again_is_still_heard(
    aurora: House, boreal: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.messaging.engine.store.MOST_ACCOUNTS", 2)
    message = history.sent(aurora)
    for n in range(3):
        strange = CREDENTIALS["whatsapp_cloud"] | {"app_secret": "the secret of boreal"}
        add_channel_account(boreal, name=f"Squatter {n}", credentials=strange)
    # Written anew, it lies behind theirs in the table.
    accounts.change(aurora.principal(), message.account, name="Balcão")
    assert call(callback(message)).status_code == 200


def test_callback_that_says_too_much_at_once_is_refused(aurora: House) -> None:
    history.account_of(aurora)
    messages = [
        {"from": f"55119{n:08}", "id": f"wamid.{n}", "type": "text", "text": {"body": "Oi"}} for n in range(1001)
    ]
    value = {"metadata": {"phone_number_id": NUMBER}, "messages": messages}
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    answer = call(orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]}))
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_callback")
    many = [{"changes": [{"value": {"metadata": {"phone_number_id": str(n)}}}]} for n in range(1001)]
    answer = call(orjson.dumps({"object": "whatsapp_business_account", "entry": many}), "forged")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_callback")


def test_callback_that_nobody_can_read_takes_no_room_even_with_the_secret(aurora: House) -> None:
    account = add_channel_account(aurora, "telegram")
    secret = CREDENTIALS["telegram"]["secret_token"]
    url = f"/v1/hooks/telegram/{account.pk}"
    answer = call(b"x", url=url, **{"X-Telegram-Bot-Api-Secret-Token": secret})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_callback")
    assert not ProviderCallback.objects.exists()


def test_provider_that_waits_for_a_word_gets_it(aurora: House) -> None:
    account = add_channel_account(aurora, "telegram")
    headers = {"X-Telegram-Bot-Api-Secret-Token": CREDENTIALS["telegram"]["secret_token"]}
    touched = {"update_id": 1, "callback_query": {"id": "4382", "from": {"id": 7, "is_bot": False}, "data": "yes"}}
    for _ in range(2):  # it may call twice, and waits each time
        answer = call(orjson.dumps(touched), url=f"/v1/hooks/telegram/{account.pk}", **headers)
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
        assert answer.json() == {"method": "answerCallbackQuery", "callback_query_id": "4382"}


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"{}", b'{"object":"page"}', b"\xff\xfe"])
def test_callback_in_another_shape_is_refused(body: bytes) -> None:
    answer = call(body)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_callback")


def test_callback_without_end_is_refused() -> None:
    answer = call(b" " * (MOST_BYTES + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert call(b" " * MOST_BYTES).status_code == 400


@pytest.mark.parametrize("connector", ["pigeon", "connector", "__init__", "whatsapp-cloud"])
def test_unknown_connector_is_not_found(connector: str) -> None:
    assert call(b"{}", url=f"/v1/hooks/{connector}").status_code == 404


def test_other_methods_are_refused() -> None:
    answer = Client().put(URL)
    assert (answer.status_code, answer["Allow"], answer.json()["code"]) == (405, "GET, POST", "method_not_allowed")


def test_provider_is_not_held_to_the_callers_limit(aurora: House, settings: Settings) -> None:
    settings.API_RATE_PER_SECOND, settings.API_BURST = 1, 1
    message = history.sent(aurora)
    assert {call(callback(message)).status_code for _ in range(5)} == {200}


def test_provider_calls_again_when_nothing_can_be_stored(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object) -> bool:
        raise OperationalError("the connection is gone")

    monkeypatch.setattr(hooks, "store", fail)
    answer = call(b"{}")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer["Retry-After"]) > 0

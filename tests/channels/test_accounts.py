"""Channel accounts, as the API, the admin and the dispatcher change them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from rest_framework.exceptions import NotFound, ValidationError

from apps.accounts.models import AuditEvent
from apps.accounts.principal import Principal
from apps.channels import accounts
from apps.channels.accounts import NameTaken
from apps.channels.connectors.whatsapp_cloud import WhatsappCloud
from apps.channels.liveness import breaker_key, breaker_state
from apps.channels.models import ChannelAccount
from apps.channels.signals import account_resumed
from apps.core import clock
from apps.core.breaker import Breaker
from apps.core.redis import redis_client
from tests.cast import CREDENTIALS, House, add_channel_account

pytestmark = pytest.mark.django_db
SECRETS = [CREDENTIALS["whatsapp_cloud"][name] for name in ("access_token", "app_secret")]


@pytest.fixture
def account(aurora: House) -> ChannelAccount:
    return add_channel_account(aurora)


@pytest.fixture
def rung() -> Any:
    """The accounts whose waiting messages were told to go on."""
    heard: list[Any] = []

    def hear(account_id: Any, **_: Any) -> None:
        heard.append(account_id)

    account_resumed.connect(hear)
    yield heard
    account_resumed.disconnect(hear)


def pointer_of(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(ValidationError) as refused:
        call()
    detail: Any = refused.value.detail
    ((pointer, errors),) = detail.items()
    return pointer, errors[0].code


def test_new_account_starts_with_the_providers_limits_and_the_installations_resilience(
    account: ChannelAccount, settings: Settings
) -> None:
    assert account.limit == WhatsappCloud.limits.account
    assert account.recipient_limit == WhatsappCloud.limits.recipient
    assert account.breaker_policy.failures == settings.RESILIENCE_BREAKER_FAILURES
    assert account.retry_attempts == settings.RESILIENCE_RETRY_ATTEMPTS
    assert not account.is_paused(clock.now())


def test_account_of_a_provider_without_a_limit_for_one_person_has_none(aurora: House) -> None:
    assert add_channel_account(aurora, "instagram").recipient_limit is None


def test_secrets_are_readable_in_no_column_and_no_line_of_the_trail(
    aurora: House, account: ChannelAccount
) -> None:
    new = {"access_token": "EAAG-another-token-of-the-house"}
    accounts.change(aurora.principal(), account, credentials=new)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(a)::text FROM channel_account a")
        stored = cursor.fetchone()[0]
        cursor.execute("SELECT row_to_json(e)::text FROM audit_event e")
        trail = "\n".join(row[0] for row in cursor.fetchall())
    assert "channel_account.changed" in trail
    assert [secret for secret in [*SECRETS, *new.values()] if secret in stored + trail] == []
    changed = AuditEvent.objects.for_organization(aurora.organization).get(action="channel_account.changed")
    assert changed.changes == {"credentials": ["[hidden]", "[hidden]"]}


def test_credentials_that_are_not_named_stay(aurora: House, account: ChannelAccount) -> None:
    changed = accounts.change(aurora.principal(), account, credentials={"phone_number_id": " 42 "})
    changed.refresh_from_db()
    assert changed.credential_values == CREDENTIALS["whatsapp_cloud"] | {"phone_number_id": "42"}
    assert changed.provider_account == "42"
    assert changed.public_credentials == {"phone_number_id": "42"}


@pytest.mark.parametrize(
    ("credentials", "pointer", "code"),
    [
        ({"token": "x"}, "credentials/token", "unknown_field"),
        ({"access_token": ""}, "credentials/access_token", "required"),
        ({"access_token": "   "}, "credentials/access_token", "required"),
        ({"access_token": "a\nHost: evil"}, "credentials/access_token", "invalid"),
        ({"access_token": "senhã"}, "credentials/access_token", "invalid"),
        ({"access_token": "x" * 4097}, "credentials/access_token", "invalid"),
        *(
            ({"phone_number_id": value}, "credentials/phone_number_id", "invalid")
            for value in ("1/2", "..", ".", "1?x=2", "1#", "a b", "%2e", "1" * 121)
        ),
    ],
)
def test_credential_that_cannot_be_one_is_named(
    aurora: House, account: ChannelAccount, credentials: dict[str, str], pointer: str, code: str
) -> None:
    assert pointer_of(lambda: accounts.change(aurora.principal(), account, credentials=credentials)) == (
        pointer,
        code,
    )
    given = {**CREDENTIALS["whatsapp_cloud"], **credentials}
    assert pointer_of(lambda: add_channel_account(aurora, name="Another", credentials=given)) == (pointer, code)


@pytest.mark.parametrize(
    ("limits", "pointer", "code"),
    [
        ({"recipient_burst": None}, "recipient_burst", "required"),
        ({"recipient_rate_per_second": None}, "recipient_rate_per_second", "required"),
        ({"rate_per_second": 0.000001, "burst": 3}, "burst", "too_slow"),
        ({"recipient_rate_per_second": 0.00001, "recipient_burst": 27}, "recipient_burst", "too_slow"),
    ],
)
def test_limits_that_contradict_each_other_are_named(
    aurora: House, account: ChannelAccount, limits: dict[str, Any], pointer: str, code: str
) -> None:
    assert pointer_of(lambda: accounts.change(aurora.principal(), account, **limits)) == (pointer, code)
    assert pointer_of(lambda: add_channel_account(aurora, name="Another", **limits)) == (pointer, code)


def test_slowest_limits_are_limits(aurora: House, account: ChannelAccount) -> None:
    slow = accounts.change(aurora.principal(), account, rate_per_second=0.000001, burst=2)
    assert slow.limit.burst == 2


def test_name_is_taken_once_in_an_organization(aurora: House, boreal: House, account: ChannelAccount) -> None:
    with pytest.raises(NameTaken):
        add_channel_account(aurora, "instagram", name=account.name)
    other = add_channel_account(aurora, name="Another")
    with pytest.raises(NameTaken):
        accounts.change(aurora.principal(), other, name=account.name)
    assert add_channel_account(boreal, name=account.name).name == account.name


def test_account_of_another_organization_is_not_found(
    aurora: House, boreal: House, account: ChannelAccount
) -> None:
    stranger = boreal.principal()
    calls: list[Callable[[], object]] = [
        lambda: accounts.change(stranger, account, burst=1),
        lambda: accounts.pause(stranger, account, reason="x"),
        lambda: accounts.resume(stranger, account),
    ]
    for call in calls:
        with pytest.raises(NotFound):
            call()
    account.refresh_from_db()
    assert (account.version, account.paused_at) == (1, None)


def test_change_of_nothing_is_none(
    aurora: House, account: ChannelAccount, rung: list[Any],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        same = accounts.change(aurora.principal(), account, burst=account.burst, credentials={})
        accounts.resume(aurora.principal(), account)
    assert same.version == 1
    assert rung == []
    assert AuditEvent.across_organizations.filter(target_id=account.pk).count() == 1


def test_waiting_messages_are_told_once_the_change_is_committed(
    aurora: House, account: ChannelAccount, rung: list[Any],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        accounts.pause(aurora.principal(), account, reason="holidays")
    assert rung == []
    with django_capture_on_commit_callbacks(execute=True):
        accounts.resume(aurora.principal(), account)
        assert rung == []
    with django_capture_on_commit_callbacks(execute=True):
        accounts.change(aurora.principal(), account, rate_per_second=100.0)
    assert rung == [account.pk, account.pk]


def test_pause_ends_by_itself_at_its_time(aurora: House, account: ChannelAccount) -> None:
    until = clock.now() + timedelta(hours=1)
    paused = accounts.pause(aurora.principal(), account, reason="maintenance", until=until)
    assert paused.is_paused(clock.now())
    assert not paused.is_paused(until)


def test_every_change_is_a_new_version(aurora: House, account: ChannelAccount) -> None:
    principal = aurora.principal()
    versions = [
        accounts.change(principal, account, burst=9).version,
        accounts.pause(principal, account, reason="x").version,
        accounts.resume(principal, account).version,
        accounts.resume(principal, account).version,
    ]
    assert versions == [2, 3, 4, 4]


def test_provider_that_refuses_the_account_pauses_it(account: ChannelAccount) -> None:
    assert accounts.pause_because_rejected(account.pk, account.version, "190 expired" + "x" * 600)
    account.refresh_from_db()
    assert account.is_paused(clock.now())
    assert account.pause_reason.startswith("190 expired")
    assert account.version == 2
    event = AuditEvent.across_organizations.get(action="channel_account.paused")
    assert event.actor_label == Principal.of_system(account.organization).actor.label


def test_refusal_of_an_account_that_somebody_mended_meanwhile_pauses_nothing(
    aurora: House, account: ChannelAccount
) -> None:
    before = account.version
    accounts.change(aurora.principal(), account, credentials={"access_token": "a-new-token"})
    assert not accounts.pause_because_rejected(account.pk, before, "190 expired")
    account.refresh_from_db()
    assert account.paused_at is None
    assert not AuditEvent.across_organizations.filter(action="channel_account.paused").exists()


def test_refusal_keeps_the_reason_that_a_person_gave(aurora: House, account: ChannelAccount) -> None:
    paused = accounts.pause(aurora.principal(), account, reason="holidays")
    assert not accounts.pause_because_rejected(account.pk, paused.version, "190 expired")
    account.refresh_from_db()
    assert account.pause_reason == "holidays"


def test_refusal_after_a_pause_has_run_out_pauses_again(aurora: House, account: ChannelAccount) -> None:
    over = clock.now() - timedelta(seconds=1)
    paused = accounts.pause(aurora.principal(), account, reason="maintenance", until=over)
    assert accounts.pause_because_rejected(account.pk, paused.version, "190 expired")
    account.refresh_from_db()
    assert account.is_paused(clock.now())


@pytest.mark.django_db(transaction=True)
def test_two_changes_at_once_are_both_kept(aurora: House) -> None:
    account = add_channel_account(aurora)

    def change(values: dict[str, Any]) -> int:
        try:
            return accounts.change(aurora.principal(), account, **values).version
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        versions = list(threads.map(change, [{"burst": 11}, {"credentials": {"access_token": "new-token"}}]))
    account.refresh_from_db()
    assert sorted(versions) == [2, 3]
    assert account.burst == 11
    assert account.credential_values["access_token"] == "new-token"


def test_state_of_the_breaker_is_shown_and_not_missed_without_redis(
    account: ChannelAccount, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    state = breaker_state(account)
    assert state
    assert state.status == "closed"
    for _ in range(account.breaker_failures):
        Breaker(redis_client()).failed(breaker_key(account), account.breaker_policy)
    state = breaker_state(account)
    assert state
    assert state.status == "open"
    monkeypatch.setattr("apps.core.redis._left_alone_until", 0.0)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert breaker_state(account) is None

"""An account that drains takes no new messages, as the API and the admin start and end it."""

from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import AuditEvent
from apps.channels import accounts
from apps.channels.models import ChannelAccount
from apps.core import clock
from tests.cast import Api, House, add_channel_account, as_member

pytestmark = pytest.mark.django_db
PATH = "/v1/channel-accounts"


@pytest.fixture
def account(aurora: House) -> ChannelAccount:
    return add_channel_account(aurora)


def shown(owner: Api, account: ChannelAccount) -> dict[str, Any]:
    answer: dict[str, Any] = owner.get(f"{PATH}/{account.pk}").json()
    return answer


def test_account_drains_with_a_reason_until_it_is_resumed(account: ChannelAccount, owner: Api) -> None:
    assert shown(owner, account)["draining"] is None
    until = (clock.now() + timedelta(hours=1)).isoformat()
    drained = owner.post(f"{PATH}/{account.pk}/drain", {"reason": "we move", "until": until})
    assert drained.status_code == 200
    draining = drained.json()["draining"]
    assert (draining["reason"], draining["until"][:16]) == ("we move", until[:16])
    assert drained.json()["paused"] is None
    assert owner.post(f"{PATH}/{account.pk}/resume").json()["draining"] is None
    assert shown(owner, account)["draining"] is None


def test_drain_needs_a_reason_and_ends_in_the_future(account: ChannelAccount, owner: Api) -> None:
    for body in ({}, {"reason": "x", "until": "2020-01-01T00:00:00Z"}):
        assert owner.post(f"{PATH}/{account.pk}/drain", body).status_code == 400
    assert shown(owner, account)["draining"] is None


def test_drain_ends_by_itself_at_its_time(aurora: House, account: ChannelAccount, owner: Api) -> None:
    until = clock.now() + timedelta(hours=1)
    drained = accounts.drain(aurora.principal(), account, reason="x", until=until)
    assert drained.is_draining(clock.now())
    assert not drained.is_draining(until)
    accounts.drain(aurora.principal(), account, reason="x", until=clock.now() - timedelta(seconds=1))
    assert shown(owner, account)["draining"] is None


def test_whoever_sends_is_not_disturbed(aurora: House, account: ChannelAccount) -> None:
    principal = aurora.principal()
    drained = accounts.drain(principal, account, reason="x")
    assert drained.version == account.version
    assert accounts.resume(principal, account).version == account.version


def test_pause_and_drain_do_not_end_each_other(aurora: House, account: ChannelAccount) -> None:
    principal, now = aurora.principal(), clock.now()
    accounts.pause(principal, account, reason="maintenance")
    both = accounts.drain(principal, account, reason="we move")
    assert both.is_paused(now)
    assert both.is_draining(now)
    again = accounts.pause(principal, account, reason="maintenance again")
    assert again.drain_reason == "we move"
    ended = accounts.resume(principal, account)
    ended.refresh_from_db()
    assert not ended.is_paused(now)
    assert not ended.is_draining(now)
    resumed = AuditEvent.across_organizations.get(action="channel_account.resumed")
    assert resumed.changes == {"reason": ["maintenance again", None], "drain_reason": ["we move", None]}


def test_what_waits_can_leave_without_anything_new(aurora: House, account: ChannelAccount, owner: Api) -> None:
    accounts.drain(aurora.principal(), account, reason="we move")
    accounts.pause(aurora.principal(), account, reason="maintenance")
    resumed = owner.post(f"{PATH}/{account.pk}/resume", {"keep_draining": True}).json()
    assert resumed["paused"] is None
    assert resumed["draining"]["reason"] == "we move"


def test_account_that_paused_itself_says_so(aurora: House, account: ChannelAccount, owner: Api) -> None:
    accounts.pause(aurora.principal(), account, reason="holidays")
    assert shown(owner, account)["paused"]["is_refused"] is False
    accounts.resume(aurora.principal(), account)
    account.refresh_from_db()
    accounts.pause_because_rejected(account.pk, account.version, "190 expired")
    paused = shown(owner, account)["paused"]
    assert (paused["is_refused"], paused["reason"]) == (True, "190 expired")
    # What a person says of it takes its place.
    accounts.pause(aurora.principal(), account, reason="we look into it")
    assert shown(owner, account)["paused"]["is_refused"] is False


def test_drain_is_for_those_who_may_change_the_account(
    aurora: House, boreal: House, account: ChannelAccount
) -> None:
    assert as_member(aurora.agent).post(f"{PATH}/{account.pk}/drain", {"reason": "x"}).status_code == 403
    assert as_member(boreal.owner).post(f"{PATH}/{account.pk}/drain", {"reason": "x"}).status_code == 404
    account.refresh_from_db()
    assert account.draining_at is None

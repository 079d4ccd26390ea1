"""After a restore nothing leaves until somebody has said so.

What waited when the backup was made may have been sent after it, before the loss. Nobody here can know. While it
is held, receipts that providers deliver late settle what was sent; the rest is for a person to look at.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q

from apps.accounts.principal import Principal
from apps.channels import accounts
from apps.channels.models import ChannelAccount
from apps.channels.models.channel_account import OnUnknown

# How the reason begins, by which they are found again.
_HELD = "Held after a restore"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What an account would send, were it let go."""

    organization: str
    account: str
    connector: str
    at_most_once: bool
    messages: int
    # Those that were to leave before now, and so may have left.
    overdue: int
    oldest: datetime


def hold(taken_at: datetime | None) -> int:
    """How many accounts were stopped. Those that are paused without an end keep their own reason."""
    reason = f"{_HELD} to {taken_at:%Y-%m-%d %H:%M:%S} UTC" if taken_at else _HELD
    live = Q(paused_at=None) | Q(paused_until__isnull=False)
    return _each(live, lambda by, account: accounts.pause(by, account, reason=reason))


def release(*, also_at_most_once: bool) -> int:
    """How many go on. Of accounts that send at most once, what waited may be sent twice."""
    held = Q(pause_reason__startswith=_HELD)
    if not also_at_most_once:
        held &= Q(on_unknown=OnUnknown.RETRY)
    # Whoever drained an account before meant it.
    return _each(held, lambda by, account: accounts.resume(by, account, keep_draining=True))


def held() -> int:
    return ChannelAccount.across_organizations.filter(pause_reason__startswith=_HELD).count()


def waiting() -> list[Waiting]:
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [f"{_HELD}%"])
        return [Waiting(*row) for row in cursor.fetchall()]


def _each(chosen: Q, act: Callable[[Principal, ChannelAccount], object]) -> int:
    """Each in a transaction of its own: who is interrupted has done fewer, and the next run goes on."""
    found = ChannelAccount.across_organizations.filter(chosen).select_related("organization").order_by("pk")
    accounts_found = list(found)
    for account in accounts_found:
        act(Principal.of_system(account.organization), account)
    return len(accounts_found)


_WAITING = """
SELECT organization.name, account.name, account.connector, account.on_unknown = 'dead_letter', count(*),
       count(*) FILTER (WHERE delivery.due_at <= now()), min(delivery.due_at)
  FROM delivery
  JOIN channel_account AS account ON account.id = delivery.account_id
  JOIN organization ON organization.id = account.organization_id
 WHERE account.pause_reason LIKE %s
 GROUP BY organization.name, account.id
 ORDER BY organization.name, account.name
"""

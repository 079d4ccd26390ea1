"""What the engine remembers of a channel account, and the names of its limits."""

from uuid import UUID

from apps.channels.models import ChannelAccount, OnUnknown
from apps.core import clock
from apps.core.limiter import Limit
from apps.messaging.engine.retry import RetryPolicy

_DAY = 24 * 3600


_MOST_REMEMBERED = 1000
_remembered: dict[UUID, ChannelAccount] = {}


def remembered_account(account_id: UUID) -> ChannelAccount | None:
    """As this process last saw it, if it could send then. Safe, for a claim gives nothing to an old version."""
    account = _remembered.get(account_id)
    return None if account is None or account.is_paused(clock.now()) else account


def read_account(account_id: UUID) -> ChannelAccount | None:
    account = ChannelAccount.across_organizations.filter(pk=account_id).first()
    if account is None:
        _remembered.pop(account_id, None)
    else:
        if len(_remembered) >= _MOST_REMEMBERED:
            _remembered.clear()
        _remembered[account_id] = account
    return account


def limit_key(account_id: UUID) -> str:
    return f"account:{account_id}"


def recipient_key(account_id: UUID, address: str) -> str:
    return f"recipient:{account_id}:{address}"


def quota_key(account_id: UUID) -> str:
    return f"quota:{account_id}"


def quota_of(messages_a_day: int) -> Limit:
    """All of it at once after a day of rest; what was used comes back evenly over a day."""
    return Limit(messages_a_day / _DAY, messages_a_day)


def retry_policy(account: ChannelAccount) -> RetryPolicy:
    return RetryPolicy(
        attempts=account.retry_attempts,
        base_seconds=account.retry_base_ms / 1000,
        sends_again_when_unknown=account.on_unknown == OnUnknown.RETRY,
        unknown_wait=account.unknown_wait,
    )

"""What engine.accept refuses, as the API says it: of one message by its status, of many by index."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from rest_framework.exceptions import APIException

from apps.core.api.problems import Conflict, Problem, TooManyRequests, field_error
from apps.messaging.api.mistake import Mistake
from apps.messaging.engine.new_message import Refused


class ConversationClosed(Conflict):
    default_code = "conversation_closed"


class AccountDraining(Conflict):
    default_code = "account_draining"


class OptedOut(Conflict):
    default_code = "opted_out"


class Left(Conflict):
    default_code = "left"


class CategoryRefused(Conflict):
    default_code = "category_refused"


class ChannelRefused(Conflict):
    default_code = "channel_refused"


class OutsideWindow(Conflict):
    default_code = "outside_window"


class QuotaExhausted(TooManyRequests):
    default_code = "quota_exhausted"


class MonthlyQuotaExhausted(TooManyRequests):
    default_code = "monthly_quota_exhausted"


class OrganizationSuspended(Problem):
    """Mostly the scope is refused before; a suspension may come in between."""

    status_code = 403
    default_code = "organization_suspended"


_BY_STATUS: dict[str, type[Problem]] = {
    each.default_code: each
    for each in (
        ConversationClosed,
        AccountDraining,
        OptedOut,
        Left,
        CategoryRefused,
        ChannelRefused,
        OutsideWindow,
        QuotaExhausted,
        MonthlyQuotaExhausted,
        OrganizationSuspended,
    )
}


def refusal_of(refused: Refused) -> APIException:
    problem = _BY_STATUS.get(refused.code)
    if problem is None:
        return field_error(refused.field, refused.code, refused.detail)
    return problem(refused.detail, wait=refused.retry_after)


def in_batch(index: int, mistakes: Sequence[Mistake | Refused]) -> dict[str, Any]:
    return {"index": index, "errors": [_error(index, mistake) for mistake in mistakes]}


def _error(index: int, mistake: Mistake | Refused) -> Mapping[str, str]:
    pointer = f"/messages/{index}/{mistake.field}".removesuffix("/")
    return {"pointer": pointer, "code": mistake.code, "detail": mistake.detail}


def retry_after(refused: Sequence[Refused]) -> dict[str, str]:
    """The header that says when the first of those that a quota refused may come again."""
    waits = [each.retry_after for each in refused if each.retry_after is not None]
    return {"Retry-After": str(ceil(min(waits)))} if waits else {}

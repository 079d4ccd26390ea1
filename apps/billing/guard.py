"""What the engine asks just before a reminder leaves."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from apps.messaging.engine.guards import Asked, Verdict

GUARD = "billing"


def judge(asked: Sequence[Asked]) -> Mapping[UUID, Verdict]:
    return {}

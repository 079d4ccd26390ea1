"""What a drain may send now: what the gate grants, of what is due, to whom it may go."""

from dataclasses import dataclass, field

from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.core.prepared import prepared_cursor
from apps.core.scripts import Question
from apps.messaging.engine.claim import Claim, Claimed, claim
from apps.messaging.engine.gate import Gate, Opening
from apps.messaging.engine.outcome import Outcome, Result
from apps.messaging.engine.record import record

# A paused account is looked at so often; letting it go on rings at once.
PAUSED_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Taken:
    opening: Opening
    claim: Claim | None = None
    ready: list[Claimed] = field(default_factory=list)
    # Granted and not needed: to be given back once what was taken is on its way.
    unused: int = 0
    # Seconds during which nothing can be done, whatever is waiting.
    wait: float | None = None

    @property
    def is_empty(self) -> bool:
        """Something could be sent, and nothing is due."""
        return self.wait is None and not self.ready


def take(account: ChannelAccount, gate: Gate, most: int, *also: Question[None]) -> Taken:
    now = clock.now()
    if account.is_paused(now):
        ends = PAUSED_SECONDS if account.paused_until is None else (account.paused_until - now).total_seconds()
        return Taken(Opening(0), wait=min(PAUSED_SECONDS, ends))
    opening = gate.open(account, most, *also)
    if not opening.granted:
        return Taken(opening, wait=opening.wait)
    claimed = claim(account, opening.granted)
    ready = _hold_back(account, gate, claimed)
    return Taken(opening, claimed, ready, unused=opening.granted - len(ready))


def _hold_back(account: ChannelAccount, gate: Gate, claimed: Claim) -> list[Claimed]:
    """Those whose recipient may be written to now; the others go back into the queue until they may."""
    waits = gate.waits(account, [delivery.to for delivery in claimed.deliveries])
    held = [
        Outcome(delivery.message_id, delivery.conversation_id, claimed.lease, Result.HELD, seconds=wait)
        for delivery, wait in zip(claimed.deliveries, waits, strict=True)
        if wait > 0
    ]
    record(held)
    return [delivery for delivery, wait in zip(claimed.deliveries, waits, strict=True) if wait == 0]


def seconds_to_next(account: ChannelAccount) -> float | None:
    """Until the next message of the account is due; None when nothing waits."""
    with prepared_cursor() as cursor:
        cursor.execute(
            """
            SELECT extract(epoch FROM min(first.due_at) - now())::float8
              FROM unnest('{2,1,0}'::smallint[]) AS level (priority),
                   LATERAL (SELECT due_at
                              FROM delivery
                             WHERE account_id = %s AND state = 'waiting' AND is_head
                               AND priority = level.priority
                             ORDER BY due_at
                             LIMIT 1) AS first
            """,
            [account.id],
        )
        (seconds,) = cursor.fetchone()
    return None if seconds is None else max(0.0, seconds)

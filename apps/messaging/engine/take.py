"""What a drain may send now: what the gate grants, of what is due, to whom it may go."""

from dataclasses import dataclass, field

from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.core.prepared import prepared_cursor
from apps.core.scripts import Question
from apps.messaging.engine import counted, fallback
from apps.messaging.engine.bring import bring_files
from apps.messaging.engine.claim import Claim, claim
from apps.messaging.engine.gate import Gate, Opening
from apps.messaging.engine.guard import Cleared, clear
from apps.messaging.engine.guards import ask_guards
from apps.messaging.engine.outcome import Outcome, Result
from apps.messaging.engine.publisher import publish_now
from apps.messaging.engine.record import record

# A paused account is looked at so often; letting it go on rings at once.
PAUSED_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Taken:
    opening: Opening
    claim: Claim | None = None
    ready: list[Cleared] = field(default_factory=list)
    # Granted and not needed: to be given back once what was taken is on its way.
    unused: int = 0
    # Seconds during which nothing can be done, whatever is waiting.
    wait: float | None = None

    @property
    def is_empty(self) -> bool:
        """Something could be sent, and nothing is due."""
        return self.wait is None and not self.has_claimed

    @property
    def has_claimed(self) -> bool:
        """Something was due, whatever became of it."""
        return self.claim is not None and bool(self.claim.deliveries)


def take(account: ChannelAccount, gate: Gate, most: int, *also: Question[None]) -> Taken:
    now = clock.now()
    if account.is_paused(now):
        ends = PAUSED_SECONDS if account.paused_until is None else (account.paused_until - now).total_seconds()
        return Taken(Opening(0), wait=min(PAUSED_SECONDS, ends))
    opening = gate.open(account, most, *also)
    if not opening.granted:
        return Taken(opening, wait=opening.wait)
    claimed = claim(account, opening.granted)
    counted.claimed(account, len(claimed.deliveries))
    ready = _hold_back(account, gate, claimed)
    return Taken(opening, claimed, ready, unused=opening.granted - len(ready))


def _hold_back(account: ChannelAccount, gate: Gate, claimed: Claim) -> list[Cleared]:
    """Those that may leave now; the others go back into the queue until they may, or end here."""
    now = clock.now()
    looked_at = bring_files(
        account,
        [clear(account, delivery, claimed.lease, now) for delivery in claimed.deliveries],
        claimed.lease,
    )
    cleared = [each for each in looked_at if isinstance(each, Cleared)]
    waits = gate.waits(account, [each.delivery.to for each in cleared])
    counted.limited(account, "recipient", [wait for wait in waits if wait > 0])
    held = [each for each in looked_at if isinstance(each, Outcome)] + [
        Outcome(each.delivery.message_id, each.delivery.conversation_id, claimed.lease, Result.HELD, seconds=wait)
        for each, wait in zip(cleared, waits, strict=True)
        if wait > 0
    ]
    # Last of all, for what is true now may not be so for long.
    asked = ask_guards(
        account, [each for each, wait in zip(cleared, waits, strict=True) if wait == 0], claimed.lease
    )
    ready = [each for each in asked if isinstance(each, Cleared)]
    held += [each for each in asked if isinstance(each, Outcome)]
    if held:
        counted.outcomes(account, [(each, None) for each in held], record(held).moved)
        publish_now()
    if any(outcome.result is Result.FAILED for outcome in held):
        fallback.take_due()
    return ready


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

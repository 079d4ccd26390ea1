"""What an account may send now: the breaker's word, then the limits'. All of it is in Redis, for all workers."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.channels.errors import RateLimited, SendFailed
from apps.channels.liveness import breaker_key
from apps.channels.models import ChannelAccount
from apps.core.breaker import Breaker
from apps.core.limiter import Limiter
from apps.core.redis import Redis
from apps.core.scripts import Question, ask_all
from apps.messaging.engine import counted
from apps.messaging.engine.accounts import limit_key, recipient_key

# An account at its limit is looked at so often, to take several messages at a time rather than one.
LIMITED_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Opening:
    granted: int
    # Seconds until asking again may be answered differently; only when nothing was granted.
    wait: float = 0.0
    # This one call tries a provider that was failing, on behalf of all.
    probe: str | None = None
    # The provider has failed before this, so that a success is news.
    was_failing: bool = False


class Gate:
    def __init__(self, client: Redis) -> None:
        self._client = client
        self._breaker = Breaker(client)
        self._limiter = Limiter(client)

    def open(self, account: ChannelAccount, most: int, *also: Question[None]) -> Opening:
        """In one round trip, with whatever is to be said to Redis by the way."""
        permission, grant, *_ = ask_all(
            self._client,
            self._breaker.asking(breaker_key(account), account.breaker_policy),
            self._limiter.taking(limit_key(account.id), account.limit, most),
            *also,
        )
        granted = 0 if not permission.allowed else min(1, grant.granted) if permission.probe else grant.granted
        opening = Opening(granted, 0.0, permission.probe, permission.failures > 0)
        if granted:
            self._limiter.refund(limit_key(account.id), grant.granted - granted)
            return opening
        self.give_back(account, opening, grant.granted)
        if not permission.allowed:
            return Opening(0, permission.retry_after)
        fills_in = account.burst / account.rate_per_second / 2
        wait = max(grant.retry_after, min(LIMITED_SECONDS, fills_in))
        counted.limited(account, "account", [wait])
        return Opening(0, wait)

    def give_back(self, account: ChannelAccount, opening: Opening, unused: int) -> None:
        """What was granted and is not sent; the probe too, when nothing is."""
        self._limiter.refund(limit_key(account.id), unused)
        if opening.probe and unused >= opening.granted:
            self._breaker.abandoned(breaker_key(account), account.breaker_policy, opening.probe)

    def waits(self, account: ChannelAccount, addresses: Sequence[str]) -> list[float]:
        """For each recipient, the seconds until they may be written to; 0.0 is now."""
        limit = account.recipient_limit
        if limit is None:
            return [0.0] * len(addresses)
        return self._limiter.take_each([recipient_key(account.id, address) for address in addresses], limit)

    def report(
        self,
        account: ChannelAccount,
        errors: Sequence[SendFailed | None],
        *,
        probe: str | None = None,
        was_failing: bool = False,
    ) -> None:
        """What the breaker learns of a batch. Any answer, even a refusal, shows that the provider works."""
        failures = sum(error is not None and error.blames_provider for error in errors)
        key, policy = breaker_key(account), account.breaker_policy
        if failures == len(errors):
            if self._breaker.failed(key, policy, probe, failures):
                counted.breaker_opened(account)
        elif failures or was_failing or probe:
            self._breaker.succeeded(key, policy, probe)

    def obey(self, account: ChannelAccount, address: str, error: RateLimited, seconds: float) -> None:
        """The provider asked for a pause, of the account or of one recipient."""
        key = limit_key(account.id) if error.scope == "account" else recipient_key(account.id, address)
        self._limiter.pause(key, seconds)

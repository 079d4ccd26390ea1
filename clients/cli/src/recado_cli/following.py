"""Follow events whatever happens to the connection: each of them once, in order, or a gap that says otherwise."""

import random
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

import grpc

from recado_cli.failures import Failed, NotLoggedIn, Unreachable
from recado_cli.generated import recado_pb2 as pb
from recado_cli.generated.recado_pb2_grpc import EventsStub
from recado_cli.grpc_calls import detail_of, open_channel, status_of, told
from recado_cli.session import Session

# Full jitter: a random time up to a bound that doubles.
BASE_SECONDS = 0.5
CAP_SECONDS = 20.0
# A server that was never reached is more likely misspelt than away.
FIRST_TRIES = 5
# The publisher may tell an event twice, but soon.
REMEMBERED = 10_000

_FINAL = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNIMPLEMENTED,
}


class Follower:
    def __init__(
        self,
        session: Session,
        conversation_ids: Sequence[str],
        *,
        since: str = "",
        say: Callable[[str], None],
        deadline: float | None = None,
    ) -> None:
        self._session = session
        self._conversation_ids = conversation_ids
        self._say = say
        self._deadline = deadline
        # Up to where everything was seen.
        self.offset = since
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._failures = 0
        self._was_connected = False
        self._is_cut = False

    def events(self) -> Iterator[pb.Event]:
        """Until the deadline, if there is one; else until something is wrong that waiting does not mend."""
        while self._deadline is None or time.monotonic() < self._deadline:
            try:
                yield from self._one_stream()
                reason, wait = "the server ended it", None
            except grpc.RpcError as error:
                if self._deadline is not None and time.monotonic() >= self._deadline:
                    return
                reason, wait = self._judge(error)
            self._failures += 1
            self._wait(reason, wait)

    def _one_stream(self) -> Iterator[pb.Event]:
        asked_since = self.offset
        request = pb.SubscribeRequest(
            conversation_ids=self._conversation_ids,
            organization=not self._conversation_ids,
            since=asked_since or None,
        )
        metadata = (("authorization", self._session.authorization()),)
        left = None if self._deadline is None else max(self._deadline - time.monotonic(), 0.1)
        with open_channel(self._session.addresses) as channel:
            for event in EventsStub(channel).Subscribe(request, metadata=metadata, timeout=left):
                kind = event.WhichOneof("kind")
                if kind == "subscribed":
                    self._connected()
                if not self._is_known(event):
                    yield event
                # Only now: whoever was given it has dealt with it. Where the answer says that what was asked for
                # is gone, the gap behind it must come first, or a cut in between would hide it.
                if event.offset and not (kind == "subscribed" and asked_since and not event.subscribed.recovered):
                    self.offset = event.offset

    def _connected(self) -> None:
        if self._is_cut:
            self._say("connected again")
        self._failures, self._was_connected, self._is_cut = 0, True, False

    def _is_known(self, event: pb.Event) -> bool:
        kind = event.WhichOneof("kind")
        number = event.status.event_id if kind == "status" else event.message.event_id if kind == "message" else 0
        if not number:
            return False
        if number in self._seen:
            return True
        self._seen[number] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return False

    def _judge(self, error: grpc.RpcError) -> tuple[str, float | None]:
        """Why it broke, and how long to wait; raises where trying again is of no use."""
        status, detail = status_of(error), detail_of(error)
        if status in _FINAL:
            raise Failed(detail) from error
        if status is grpc.StatusCode.UNAUTHENTICATED:
            if not self._session.may_refresh or self._failures > 1:
                raise NotLoggedIn(f"{detail} Log in again: recado login") from error
            self._session.refresh()
            return "", 0.0
        if not self._was_connected and self._failures + 1 >= FIRST_TRIES:
            raise Unreachable(
                f"gRPC at {self._session.addresses.grpc} cannot be used ({detail}).\n"
                "  Is the address right, and is it TLS there? RECADO_GRPC or `recado login --grpc` names another."
            ) from error
        asked = told(error, "retry-after")
        return told(error, "recado-code") or detail, float(asked) if asked.isdigit() else None

    def _wait(self, reason: str, wait: float | None) -> None:
        if wait is None or wait > 0:
            wait = max(
                wait or 0.0,
                random.uniform(0, min(CAP_SECONDS, BASE_SECONDS * 2**self._failures)),  # noqa: S311
            )
            if self._deadline is not None:
                wait = min(wait, max(self._deadline - time.monotonic(), 0))
            self._is_cut = True
            self._say(f"the connection broke ({reason}); trying again in {wait:.1f} s")
            time.sleep(wait)

"""Those who watch end with exactly the statuses that the database has, whatever is cut, killed or emptied."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from random import Random

from chaos import hostile
from chaos.scenarios.redis import empty, restart_empty
from chaos.trial import Row, Scale, Trial
from chaos.watcher import Watcher
from local.processes import Process

_MESSAGES = 2_500  # four events each
_WATCHERS = 6
_IN_TIME_SECONDS = 20.0
_SECONDS = 25.0


def redis_emptied(trial: Trial, scale: Scale) -> Row:
    """They are told of a gap, and a snapshot brings them up."""
    messages, times = scale.of_messages(_MESSAGES), scale.of_times(8)
    with _watching(trial, [trial.stage.url]) as watchers:
        trial.send(trial.whatsapp(), messages, per_second=messages / scale.of_seconds(_SECONDS))
        for n in trial.rounds(times, scale.of_seconds(_SECONDS) / times):
            (restart_empty if n % 2 else empty)(trial.stage)
        for sender in trial.senders:
            sender.wait(60)
        empty(trial.stage)
        trial.trouble_is_over()
        row = trial.finish()
        trial.require(lambda: all(watcher.gaps for watcher in watchers), "everybody is told of the gap", 5)
        _check_statuses(trial, watchers)
    return row


def cuts(trial: Trial, scale: Scale) -> Row:
    """Of sockets, and of web processes. Nobody may have a gap."""
    chance = Random(11)  # noqa: S311 - so that a run can be repeated
    messages, times = scale.of_messages(_MESSAGES), scale.of_times(60)
    with ExitStack() as now:
        servers = [now.enter_context(_web(trial)) for _ in range(2)]
        watchers = now.enter_context(_watching(trial, [url for _, url in servers]))
        trial.send(trial.whatsapp(), messages, per_second=messages / scale.of_seconds(_SECONDS))
        for n in trial.rounds(times, scale.of_seconds(_SECONDS) / times):
            chance.choice(watchers).cut()
            if n % 10 == 9:
                server, _ = chance.choice(servers)
                server.kill()
                server.start()
        trial.trouble_is_over()
        row = trial.finish()
        _check_statuses(trial, watchers)
        _check_events(trial, watchers)
    return row


def hostile_clients(trial: Trial, scale: Scale) -> Row:
    """Who floods, lies, sends garbage or does not read harms nobody but themselves."""
    # As many as fill all buffers of a client that does not read.
    messages = max(400, scale.of_messages(_MESSAGES))
    with _watching(trial, [trial.stage.url]) as watchers, hostile.clients(trial.stage) as crowd:
        trial.send(trial.whatsapp(), messages, per_second=messages / scale.of_seconds(_SECONDS))
        for sender in trial.senders:
            sender.wait(120)
        trial.trouble_is_over()
        row = trial.finish()
        trial.require(lambda: not crowd.unfinished, "every hostile client was dealt with")
        trial.notes.append(crowd.told())
        trial.problems += crowd.problems
        _check_statuses(trial, watchers)
        _check_events(trial, watchers)
        if any(watcher.cuts for watcher in watchers):
            trial.problems.append("somebody who did no harm was cut")
    return row


@contextmanager
def _watching(trial: Trial, urls: Sequence[str]) -> Iterator[list[Watcher]]:
    watchers = [Watcher(urls, trial.stage.api_key, trial.stage.client()) for _ in range(_WATCHERS)]
    try:
        for watcher in watchers:
            trial.require(watcher.is_in.is_set, "a watcher is let in")
        yield watchers
    finally:
        for watcher in watchers:
            watcher.stop()


@contextmanager
def _web(trial: Trial) -> Iterator[tuple[Process, str]]:
    process, url = trial.stage.another_web()
    try:
        yield process, url
    finally:
        process.stop()


def _check_statuses(trial: Trial, watchers: Sequence[Watcher]) -> None:
    endings = trial.stage.books.endings(trial.ids)

    def wrong() -> int:
        return sum(
            watcher.statuses.get(message_id) != ending.status
            for watcher in watchers
            for message_id, ending in endings.items()
        )

    ended = time.monotonic()
    is_right = trial.wait_for(lambda: not wrong(), _IN_TIME_SECONDS)
    trial.notes.append(
        f"{len(watchers)} watchers, {sum(watcher.cuts for watcher in watchers)} times cut, "
        f"{sum(watcher.gaps for watcher in watchers)} gaps; all is right {time.monotonic() - ended:.1f} s later"
    )
    if not is_right:
        trial.problems.append(f"{wrong()} statuses are not what the database has")


def _check_events(trial: Trial, watchers: Sequence[Watcher]) -> None:
    """Each once, in the order of the stream."""
    written = trial.stage.books.events(trial.ids)
    known = set(written)
    for watcher in watchers:
        seen = [event for event in list(watcher.events) if event in known]
        if seen != written:
            twice = len(seen) - len(set(seen))
            trial.problems.append(
                f"of {len(written)} events a watcher saw {len(set(seen))}, {twice} of them twice"
            )
        if watcher.gaps:
            trial.problems.append(f"a watcher had {watcher.gaps} gaps")

"""A new release: each web process and each worker is replaced in turn, under load. Nobody shall notice."""

import time
from contextlib import ExitStack

from chaos.crowd import Crowd, watching
from chaos.front import Front, Through, open_front
from chaos.trial import Row, Scale, Trial
from local.processes import Process

# All of them leave such a process within so many seconds.
_ENDS_WITHIN_SECONDS = 60.0
_READY_SECONDS = 120.0
_RESTARTED = 1012
_DRAIN_SECONDS, _GRACE_SECONDS = 2, 10


def release(trial: Trial, scale: Scale) -> Row:
    sockets, per_second = (max(least, scale.of_messages(500)) for least in (60, 100))
    accounts = [trial.whatsapp(), trial.whatsapp()]
    with ExitStack() as now:
        front = now.enter_context(open_front())
        webs = [_start_web(trial, front, now) for _ in range(2)]
        senders = [
            # More than can be sent meanwhile.
            trial.send(
                account, 1_000 * per_second, sockets // 2, per_second=per_second / 2, through=Through(front)
            )
            for account in accounts
        ]
        # Twice each.
        trial.require(
            lambda: all(len(sender.accepted) >= sockets for sender in senders), "everybody was written to", 60
        )
        conversations = trial.stage.books.conversations(trial.ids)
        crowd = now.enter_context(watching(front.choose, trial.stage.api_key, conversations))
        trial.require(lambda: crowd.is_in, "everybody is in", 60)

        before, begun = len(trial.accepted), time.monotonic()
        for web, url in webs:
            _start_web(trial, front, now)
            _ask_to_leave(trial, web)
            front.remove(url)
        workers = list(trial.crew.workers.values())[: scale.of_times(12)]
        for worker in workers:
            trial.crew.start_another(worker)
            _ask_to_leave(trial, worker.process)
        took, accepted = time.monotonic() - begun, len(trial.accepted) - before
        trial.trouble_is_over()
        for sender in senders:
            sender.enough()
        row = trial.finish()
        trial.notes.append(
            f"{len(webs)} web processes and {len(workers)} workers replaced in {took:.0f} s, "
            f"while {accepted / took:.0f} messages a second were accepted"
        )
        _check_api(trial)
        _check_crowd(trial, crowd)
    trial.must_know_every_outcome()
    return row


def _start_web(trial: Trial, front: Front, now: ExitStack) -> tuple[Process, str]:
    web, url = trial.stage.another_web(_DRAIN_SECONDS, _GRACE_SECONDS)
    now.callback(web.stop)
    front.add(url)
    trial.require(lambda: url in front.ready, "a new web process is sent requests", _READY_SECONDS)
    return web, url


def _ask_to_leave(trial: Trial, process: Process) -> None:
    process.signal_stop()
    code = process.wait_until_ended(_ENDS_WITHIN_SECONDS)
    if code:
        trial.problems.append(f"{process.name} ended with {code}")


def _check_api(trial: Trial) -> None:
    answers = sum((sender.answers for sender in trial.senders), start=type(trial.senders[0].answers)())
    slowest = max(sender.slowest_of_a_hundred for sender in trial.senders)
    trial.notes.append(
        f"{answers['202']} requests accepted, the slowest of a hundred in {slowest:.2f} s; "
        f"{answers['ConnectError']} found nobody at their address and were sent again"
    )
    failed = {kind: count for kind, count in answers.items() if kind not in {"202", "ConnectError"}}
    if failed:
        trial.problems.append(f"requests that failed otherwise: {failed}")


def _check_crowd(trial: Trial, crowd: Crowd) -> None:
    written = trial.stage.books.events_by_conversation(trial.ids)
    trial.wait_for(lambda: not _misses(crowd, written), 20)
    closes, refused = dict(crowd.closes), dict(crowd.not_let_in)
    trial.notes.append(
        f"{len(crowd.members)} sockets, {crowd.closes[_RESTARTED]} times closed with {_RESTARTED}, "
        f"{crowd.resumed} resumed, {crowd.gaps} gaps; "
        f"{sum(refused.values())} tries to come back found nobody"
    )
    if closes.keys() - {_RESTARTED}:
        trial.problems.append(f"sockets were closed otherwise: {closes}")
    if refused.keys() - {"ConnectionRefusedError"}:
        trial.problems.append(f"sockets were not let in: {refused}")
    if crowd.gaps:
        trial.problems.append(f"{crowd.gaps} gaps")
    if missed := _misses(crowd, written):
        trial.problems.append(f"{missed} sockets did not see every status once and in order")
    if not crowd.closes:
        trial.problems.append("no socket had to move")


def _misses(crowd: Crowd, written: dict[str, list[int]]) -> int:
    """Of those whose events are not all that were written from their first one on."""
    return sum(
        not member.events or member.events != written[member.conversation][-len(member.events) :]
        for member in crowd.members
    )

"""Redis holds nothing that cannot be lost: emptied, restarted empty, and away while the API goes on accepting."""

import shutil
import time

import redis

from chaos.stage import Stage
from chaos.trial import Row, Scale, Trial

_EMPTY_EVERY_SECONDS = 2.0
# 202 must come within it even while Redis is away.
_ANSWERED_WITHIN_SECONDS = 2.0


def emptied(trial: Trial, scale: Scale) -> Row:
    """In the middle of accepting and sending: bells, tasks, alarms, limits and the breaker's memory are gone."""
    messages, times = scale.of_messages(6_000), scale.of_times(12)
    trial.send(trial.whatsapp(), messages, per_second=messages / (times * _EMPTY_EVERY_SECONDS))
    restarts = 0
    for n in trial.rounds(times, _EMPTY_EVERY_SECONDS):
        if n % 4 == 3:
            restart_empty(trial.stage)
            restarts += 1
        else:
            empty(trial.stage)
    # And when everything was accepted, and nobody will ring any more.
    for sender in trial.senders:
        sender.wait(60)
    empty(trial.stage)
    trial.trouble_is_over()
    trial.notes.append(f"{times + 1 - restarts} × FLUSHALL, {restarts} × restarted without its data")
    return trial.finish()


def down(trial: Trial, scale: Scale) -> Row:
    seconds, messages = scale.of_seconds(30.0), scale.of_messages(3_000)
    trial.stage.valkey.stop()
    sender = trial.send(trial.whatsapp(), messages, per_second=messages / seconds, at_once=10)
    try:
        time.sleep(seconds)
        sender.wait(30)
    finally:
        trial.stage.valkey.start()
    trial.trouble_is_over()
    slowest = sender.slowest_of_a_hundred
    answers = ", ".join(f"{count} × {answer}" for answer, count in sender.answers.most_common())
    trial.notes.append(f"{seconds:.0f} s without Redis: {answers}; p99 {slowest * 1000:.0f} ms")
    if set(sender.answers) != {"202"}:
        trial.problems.append(f"not every answer was 202: {answers}")
    if slowest > _ANSWERED_WITHIN_SECONDS:
        trial.problems.append(f"p99 {slowest:.2f} s")
    return trial.finish()


def empty(stage: Stage) -> None:
    with redis.Redis.from_url(stage.valkey.url) as client:
        client.flushall()


def restart_empty(stage: Stage) -> None:
    stage.valkey.stop()
    shutil.rmtree(stage.valkey.data)
    stage.valkey.start()

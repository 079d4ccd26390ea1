"""Several scripts of Redis in one round trip."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.commands.core import Script
from redis.exceptions import NoScriptError


@dataclass(frozen=True, slots=True)
class Question[T]:
    """A script with its keys and arguments, and how to read what it says."""

    script: Script
    keys: Sequence[str]
    arguments: Sequence[str | int]
    read: Callable[[Any], T]

    def ask(self) -> T:
        return self.read(self.script(keys=self.keys, args=self.arguments))


def ask_all(client: Redis, *questions: Question[Any]) -> list[Any]:
    pipeline = client.pipeline(transaction=False)
    for each in questions:
        pipeline.evalsha(each.script.sha, len(each.keys), *each.keys, *each.arguments)
    answers = []
    for each, said in zip(questions, pipeline.execute(raise_on_error=False), strict=True):
        if isinstance(said, NoScriptError):
            answers.append(each.ask())  # this server has not seen it yet
        elif isinstance(said, Exception):
            raise said
        else:
            answers.append(each.read(said))
    return answers

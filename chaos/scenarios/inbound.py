"""People write while the workers that put their words into conversations are killed."""

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random

from chaos.trial import Row, Scale, Trial

_PEOPLE = 20
_KILL_EVERY_SECONDS = 2.0


def workers_die(trial: Trial, scale: Scale) -> Row:
    """Each person's words are there, once, in the order in which they were written."""
    chance = Random(20_000)  # noqa: S311 - so that a run can be repeated
    account = trial.whatsapp()
    each, kills = scale.of_messages(200), scale.of_times(10)
    people = [f"55119900{n:05d}" for n in range(_PEOPLE)]

    # They are written to meanwhile.
    trial.send(account, scale.of_messages(2_000))

    def write_all(person: str) -> None:
        for n in range(each):
            trial.stage.providers.say(account.name, person, f"{n}")

    with ThreadPoolExecutor(_PEOPLE) as writing:
        written = [writing.submit(write_all, person) for person in people]
        for _ in trial.rounds(kills, _KILL_EVERY_SECONDS):
            trial.crew.strike(chance)
        for one in written:
            one.result()
    trial.trouble_is_over()
    trial.require(lambda: trial.stage.books.unread_callbacks() == 0, "every callback is worked on", 60)
    trial.notes.append(f"{_PEOPLE} people wrote {each} messages each; {kills} × SIGKILL")
    trial.problems += _wrong(trial.stage.books.written_by([account.id]), people, each)
    return trial.finish()


def _wrong(found: Sequence[tuple[str, str]], people: Sequence[str], each: int) -> list[str]:
    texts: dict[str, list[str]] = defaultdict(list)
    for address, text in found:
        texts[address].append(text)
    expected = [str(n) for n in range(each)]
    wrong = [person for person in people if texts[f"+{person}"] != expected]
    if not wrong:
        return []
    there = len(texts[f"+{wrong[0]}"])
    return [f"{len(wrong)} conversations are not what was written, the first has {there} of {each}"]

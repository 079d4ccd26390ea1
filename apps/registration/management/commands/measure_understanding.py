import asyncio
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.guarded_http import GuardedClient
from apps.registration.understanding import ollama
from apps.registration.understanding.measure import Measured, Tally, Utterance, compare, measure, utterances
from apps.registration.understanding.reader import AT_ONCE
from apps.registration.understanding.reading import Intent, Reading
from apps.registration.understanding.rules.reader import RulesReader


class Command(BaseCommand):
    help = "Show how well messages are understood, over a table of utterances with what each of them means."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--ollama", action="store_true", help="measure the model alone rather than the rules")
        parser.add_argument("--held", action="store_true", help="only the utterances that no rule was made from")

    def handle(self, *_args: Any, **options: Any) -> None:
        table = [each for each in utterances() if each.is_held or not options["held"]]
        if options["ollama"] and not settings.OLLAMA_URL:
            raise CommandError("There is no model to measure: OLLAMA_URL is not set.")
        self._show(
            asyncio.run(_by_model(table)) if options["ollama"] else measure(RulesReader(), table), len(table)
        )

    def _show(self, measured: Measured, count: int) -> None:
        self.stdout.write(f"{count} utterances")
        for title, tallies, total in (
            ("Intent", measured.intents, measured.all_intents),
            ("Slot", measured.slots, measured.all_slots),
        ):
            self.stdout.write(f"\n{title:<16}{'right':>6}{'of':>6}{'share':>9}")
            for name, tally in tallies.items():
                self.stdout.write(_line(name, tally))
            self.stdout.write(_line("all", total))
        self.stdout.write("\n" + _line("what is wrong", measured.corrects))
        self.stdout.write(f"{'slots made up':<16}{measured.invented:>6}")


def _line(name: str, tally: Tally) -> str:
    return f"{name:<16}{tally.right:>6}{tally.all:>6}{tally.share:>9.1%}"


async def _by_model(table: Sequence[Utterance]) -> Measured:
    places = asyncio.Semaphore(AT_ONCE)
    async with ollama.ollama_client() as client:
        readings = await asyncio.gather(*(_one(client, places, each) for each in table))
    return compare(table, readings)


async def _one(client: GuardedClient, places: asyncio.Semaphore, utterance: Utterance) -> Reading:
    """Nothing, where the model gives none: that is a reading too, mostly a wrong one."""
    async with places:
        try:
            return await ollama.read(client, utterance.text, utterance.asked)
        except ollama.NotUnderstood:
            return Reading(Intent.OTHER)

"""The table of utterances, what is counted over it, and that the rules reach what is promised."""

from collections import Counter
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from apps.registration.kinds import Kind
from apps.registration.management.commands.measure_understanding import Command
from apps.registration.understanding.measure import Utterance, compare, measure, utterances
from apps.registration.understanding.reading import Asked, Intent, Reading, Slot
from apps.registration.understanding.rules.reader import RulesReader

TABLE = list(utterances())
HELD = [each for each in TABLE if each.is_held]


def meant(*slots: Slot, corrects: Kind | None = None) -> Utterance:
    return Utterance("…", Asked(), Reading(Intent.OTHER, slots, corrects), is_held=False)


def test_table_is_large_and_holds_back_about_a_third() -> None:
    assert len(TABLE) >= 360
    assert 0.28 < len(HELD) / len(TABLE) < 0.42


def test_table_asks_nothing_twice() -> None:
    assert Counter((each.text, each.asked) for each in TABLE).most_common(1)[0][1] == 1


def test_table_tells_what_was_asked() -> None:
    asked = {each.asked for each in TABLE}
    assert asked == {Asked(), Asked(is_consent=True), Asked(is_summary=True), *(Asked(kind) for kind in Kind)}


def test_table_holds_back_some_of_each_intent_and_kind() -> None:
    assert min(Counter(each.meant.intent for each in HELD).values()) >= 10
    assert set(Counter(each.meant.intent for each in HELD)) == set(Intent)
    kinds = Counter(slot.kind for each in HELD for slot in each.meant.slots)
    assert set(kinds) == set(Kind)
    assert min(kinds.values()) >= 5


def test_rules_reach_what_is_promised_on_the_held_part() -> None:
    measured = measure(RulesReader(), HELD)
    assert measured.all_intents.share >= 0.90
    assert measured.all_slots.share >= 0.95
    assert measured.invented <= 0.02 * measured.all_slots.all


def test_rules_are_right_where_they_are_certain() -> None:
    """No model is asked then."""
    certain = [each for each in HELD if RulesReader().judge(each.text, each.asked).is_certain]
    assert len(certain) >= 80
    assert not measure(RulesReader(), certain).misread


def test_rules_read_no_hostile_utterance_as_a_wish() -> None:
    hostile = [each for each in TABLE if "confirm" in each.text.lower() and each.meant.intent is Intent.OTHER]
    assert len(hostile) >= 10
    assert {RulesReader().read(each.text, each.asked).intent for each in hostile} == {Intent.OTHER}


def test_measuring_counts_a_missing_slot_and_an_invented_one() -> None:
    ana, bia = Slot(Kind.NAME, "Ana"), Slot(Kind.NAME, "Bia")
    measured = compare([meant(ana)], [Reading(Intent.OTHER, (bia,))])
    assert (measured.all_slots.right, measured.all_slots.all, measured.invented) == (0, 1, 1)
    assert len(measured.misread) == 1


def test_measuring_forgives_case_accents_and_what_stands_around() -> None:
    measured = compare(
        [meant(Slot(Kind.NAME, "José Luís"))], [Reading(Intent.OTHER, (Slot(Kind.NAME, " jose  luis."),))]
    )
    assert measured.slots[Kind.NAME].share == 1
    assert not measured.misread


def test_measuring_counts_intents_and_what_is_wrong() -> None:
    measured = compare([meant(corrects=Kind.EMAIL)], [Reading(Intent.STOP, (), Kind.PHONE)])
    assert measured.intents[Intent.OTHER].share == 0
    assert measured.corrects.share == 0


def test_command_prints_a_line_for_each_intent_and_kind() -> None:
    out = StringIO()
    call_command(Command(), "--held", stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[0] == f"{len(HELD)} utterances"
    starts = {line.split()[0] for line in lines if line}
    assert starts >= {*Intent, *Kind.values, "all"}


def test_command_says_that_there_is_no_model(settings: Settings) -> None:
    settings.OLLAMA_URL = ""
    with pytest.raises(CommandError, match="OLLAMA_URL"):
        call_command(Command(), "--ollama")

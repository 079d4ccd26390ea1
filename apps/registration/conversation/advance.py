"""What follows from what: one table, by where the conversation stands and what the person wants.

Pure functions of a definition, a state and what was heard. So a conversation can be thought over again from its
turns, and comes to the same.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import reduce

from apps.registration.conversation.heard import Heard
from apps.registration.conversation.state import Ask, Help, Line, State, Step, Summary, Text, Wrong
from apps.registration.definition import Definition
from apps.registration.models import RegistrationState as Phase
from apps.registration.understanding.reading import Intent

# So often in a row nothing is understood; then a person is called.
MOST_ATTEMPTS = 3
# And so often that nothing new came, whatever was understood.
MOST_IDLE = 8

type Action = Callable[[Definition, State, Heard], Step]


OPENING = (Text("welcome"), Text("consent"), Text("consent_ask"))


def invite() -> State:
    """By a template, which says none of it: what the person answers agrees to nothing yet."""
    return State(Phase.CONSENT, is_told=False)


def begin(definition: Definition, heard: Heard, known: Mapping[str, str] | None = None) -> Step:
    """With what was said already. Who agreed before is not asked again, but for what has changed."""
    if known is None:
        return Step(_taken(definition, State(Phase.CONSENT), heard), OPENING)
    state = State(Phase.CONFIRMING, values=known, is_update=True)
    if heard.values or heard.corrects is not None:
        return _change(definition, state, heard)
    return Step(state, (Text("welcome_back"), Summary(), Text("which_change")))


def advance(definition: Definition, state: State, heard: Heard) -> Step:
    if heard.is_handed_back:
        return _resume(definition, state)
    if state.phase not in _TABLE:
        return Step(state)
    heard, state = _with_what_was_meant(state, heard)
    step = _patiently(definition, state, _TABLE[state.phase][heard.intent](definition, state, heard))
    return _offering(step, heard)


def think_over(definition: Definition, began: State, heard: Iterable[Heard]) -> State:
    """Where all that was heard since leads to."""
    return reduce(lambda state, each: advance(definition, state, each).state, heard, began)


def _with_what_was_meant(state: State, heard: Heard) -> tuple[Heard, State]:
    """A yes to "did you mean …?" is that value; and nobody is offered the same twice."""
    if state.offered is not None and heard.intent is Intent.CONFIRM and not heard.values and not heard.mistakes:
        heard = Heard(values=(state.offered,))
    return heard, replace(state, offered=None)


def _offering(step: Step, heard: Heard) -> Step:
    meant = next(((each.kind, each.meant) for each in heard.mistakes if each.meant), None)
    if meant is None or not any(isinstance(line, Wrong) for line in step.says):
        return step
    return replace(step, state=replace(step.state, offered=meant))


def _patiently(definition: Definition, before: State, step: Step) -> Step:
    """Nobody is answered for ever who brings nothing new."""
    after = step.state
    if after.phase not in _TABLE:
        return step
    if (after.phase, after.values, after.skipped) != (before.phase, before.values, before.skipped):
        return replace(step, state=replace(after, idle=0))
    if before.idle + 1 >= MOST_IDLE:
        return _hand_over(definition, before, Heard())
    return replace(step, state=replace(after, idle=before.idle + 1))


def _consent(definition: Definition, state: State, heard: Heard) -> Step:
    if not state.is_told:
        return _unclear(definition, state, heard)
    return _go_on(definition, _taken(definition, replace(state, phase=Phase.ASKING, attempts=0), heard))


def _decline(_definition: Definition, state: State, _heard: Heard) -> Step:
    return Step(_ended(state, Phase.DECLINED), (Text("declined"),))


def _unclear(definition: Definition, state: State, heard: Heard) -> Step:
    """No yes and no no; what was given besides is not asked again."""
    state = _taken(definition, state, heard)
    if not state.is_told:
        return Step(replace(state, is_told=True), OPENING)
    return _missed(definition, state, (Text("not_understood"), Text("consent_ask")))


def _explain_consent(_definition: Definition, state: State, _heard: Heard) -> Step:
    return Step(replace(state, is_told=True), (Text("consent"), Text("consent_ask")))


def _stop(_definition: Definition, state: State, _heard: Heard) -> Step:
    return Step(_ended(state, Phase.STOPPED), (Text("stopped"),))


def _hand_over(_definition: Definition, state: State, _heard: Heard) -> Step:
    handed = replace(state, phase=Phase.WITH_PERSON, resumes=state.phase, attempts=0, idle=0)
    return Step(handed, (Text("handed_over"),))


def _explain(_definition: Definition, state: State, _heard: Heard) -> Step:
    if state.phase is Phase.CONFIRMING:
        return Step(state, (Summary(), Text("summary")))
    return Step(state, (Help(state.step), Ask(state.step)))


def _answer(definition: Definition, state: State, heard: Heard) -> Step:
    taken = _taken(definition, state, heard)
    if taken.values != state.values:
        return _go_on(definition, taken, _mistakes(definition, heard))
    if mistakes := _mistakes(definition, heard):
        return _missed(definition, state, (*mistakes, Help(state.step), Ask(state.step)))
    if heard.values and any(definition.of_kind(kind) for kind, _ in heard.values):
        return _go_on(definition, replace(state, attempts=0))  # what was known before
    return _missed(definition, state, (Text("not_understood"), Help(state.step), Ask(state.step)))


def _refuse(definition: Definition, state: State, heard: Heard) -> Step:
    """No: they have none, or want to give none. Or it is a correction: no, it is ana@…"""
    if heard.values or heard.mistakes or heard.corrects is not None:
        return _correct(definition, state, heard)
    question = definition.question(state.step)
    if question is None or not question.is_required:
        skipped = replace(state, skipped=(*state.skipped, state.step), attempts=0)
        return _go_on(definition, skipped, (Text("skipped"),))
    return _missed(definition, state, (Text("required"), Help(state.step), Ask(state.step)))


def _correct(definition: Definition, state: State, heard: Heard) -> Step:
    """At any time: with what is right, or only with what is wrong."""
    if heard.values or heard.mistakes:
        change = _change if state.phase is Phase.CONFIRMING else _answer
        return change(definition, state, heard)
    question = definition.of_kind(heard.corrects) if heard.corrects is not None else None
    if question is None:
        return Step(replace(state, attempts=0), (Text("which_change"),))
    without = {key: value for key, value in state.values.items() if key != question.key}
    asking = replace(state, phase=Phase.ASKING, step=question.key, values=without, attempts=0)
    return Step(asking, (Ask(question.key),))


def _confirm(definition: Definition, state: State, heard: Heard) -> Step:
    if heard.values or heard.mistakes:  # yes, but …
        return _change(definition, state, heard)
    if lacking := _lacking(definition, state):
        # A later version asks for more than they once told.
        return Step(replace(state, phase=Phase.ASKING, step=lacking), (Ask(lacking),))
    return Step(_ended(state, Phase.COMPLETED), (Text("done"),))


def _change(definition: Definition, state: State, heard: Heard) -> Step:
    """While all of it is shown: what they write is what it shall be."""
    taken = _taken(definition, state, heard)
    mistakes = _mistakes(definition, heard)
    if taken.values != state.values:
        return _go_on(definition, taken, mistakes)
    if mistakes:
        return _missed(definition, state, (*mistakes, Summary(), Text("summary")))
    if heard.values:
        return Step(replace(state, attempts=0), (Summary(), Text("summary")))
    if heard.corrects is not None and definition.of_kind(heard.corrects) is not None:
        return _correct(definition, state, replace(heard, values=(), mistakes=()))
    return _missed(definition, state, (Text("not_understood"), Text("summary")))


def _resume(definition: Definition, state: State) -> Step:
    if state.phase is not Phase.WITH_PERSON or state.resumes is None:
        return Step(state)
    back = replace(state, phase=state.resumes, resumes=None, attempts=0)
    says: tuple[Line, ...] = (Text("handed_back"),)
    if back.phase is Phase.CONSENT:
        return Step(replace(back, is_told=True), (*says, Text("consent"), Text("consent_ask")))
    return _go_on(definition, back, says)


_WANTS = {Intent.REGISTER, Intent.UPDATE, Intent.OTHER}
_TABLE: Mapping[Phase, Mapping[Intent, Action]] = {
    Phase.CONSENT: {
        Intent.CONFIRM: _consent,
        Intent.DENY: _decline,
        Intent.STOP: _decline,
        Intent.HUMAN: _hand_over,
        Intent.HELP: _explain_consent,
        Intent.CORRECT: _unclear,
        **dict.fromkeys(_WANTS, _unclear),
    },
    Phase.ASKING: {
        Intent.CONFIRM: _answer,
        Intent.DENY: _refuse,
        Intent.STOP: _stop,
        Intent.HUMAN: _hand_over,
        Intent.HELP: _explain,
        Intent.CORRECT: _correct,
        **dict.fromkeys(_WANTS, _answer),
    },
    Phase.CONFIRMING: {
        Intent.CONFIRM: _confirm,
        Intent.DENY: _correct,
        Intent.STOP: _stop,
        Intent.HUMAN: _hand_over,
        Intent.HELP: _explain,
        Intent.CORRECT: _correct,
        **dict.fromkeys(_WANTS, _change),
    },
}


def _taken(definition: Definition, state: State, heard: Heard) -> State:
    """With what was given: each value goes to the question of its kind, a free answer to the one that is open."""
    values = dict(state.values)
    for kind, value in heard.values:
        open_one = definition.question(state.step)
        question = definition.of_kind(kind) or (open_one if open_one and open_one.kind is kind else None)
        if question is not None:
            values[question.key] = value
    return state if values == dict(state.values) else replace(state, values=values, attempts=0)


def _go_on(definition: Definition, state: State, says: tuple[Line, ...] = ()) -> Step:
    """To the next question that has no answer, or to the summary of all."""
    for question in definition.questions:
        if question.key not in state.values and question.key not in state.skipped:
            return Step(replace(state, phase=Phase.ASKING, step=question.key), (*says, Ask(question.key)))
    return Step(replace(state, phase=Phase.CONFIRMING, step=""), (*says, Summary(), Text("summary")))


def _lacking(definition: Definition, state: State) -> str:
    """The first question that must have an answer, and has none."""
    required = (question.key for question in definition.questions if question.is_required)
    return next((key for key in required if key not in state.values), "")


def _missed(definition: Definition, state: State, says: tuple[Line, ...]) -> Step:
    if state.attempts + 1 >= MOST_ATTEMPTS:
        return _hand_over(definition, state, Heard())
    return Step(replace(state, attempts=state.attempts + 1), says)


def _mistakes(definition: Definition, heard: Heard) -> tuple[Line, ...]:
    asked = {question.kind for question in definition.questions}
    return tuple(Wrong(each.kind, each.detail) for each in heard.mistakes if each.kind in asked)


def _ended(state: State, phase: Phase) -> State:
    return replace(state, phase=phase, attempts=0)

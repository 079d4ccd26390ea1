"""Lines become one message, in the language of the conversation."""

from collections.abc import Sequence

from apps.registration.conversation.state import Ask, Help, Line, State, Summary, Text, Wrong
from apps.registration.definition import Definition
from apps.registration.validation.showing import masked


def say(definition: Definition, language: str, state: State, lines: Sequence[Line]) -> str:
    """Empty where nothing is to be said."""
    spoken = (_spoken(definition, language, state, line) for line in lines)
    return "\n\n".join(text for text in spoken if text)


def _spoken(definition: Definition, language: str, state: State, line: Line) -> str:
    match line:
        case Text(name):
            return definition.text(name, language)
        case Wrong():
            return line.detail
        case Summary():
            return "\n".join(
                f"{definition.label(question, language)}: {masked(question.kind, state.values[question.key])}"
                for question in definition.questions
                if question.key in state.values
            )
        case Ask(key) | Help(key):
            question = definition.question(key)
            if question is None:
                return ""
            is_help = isinstance(line, Help)
            return definition.help(question, language) if is_help else definition.ask(question, language)

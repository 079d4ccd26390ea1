"""What a text would say on each channel, and what is wrong with that."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from apps.channels.carrying import CannotCarry, why_not
from apps.channels.content import Content
from apps.channels.registry import connector_class
from apps.messaging.models import TemplateText, TemplateVersion
from apps.messaging.wording.contents import Unsayable, say
from apps.messaging.wording.variables import built_in, declared_by, samples_of, values_of


@dataclass(frozen=True, slots=True)
class Preview:
    channel: str
    # None where it cannot be said at all.
    content: Content | None
    problem: CannotCarry | None


def previews(
    version: TemplateVersion,
    text: TemplateText,
    channels: Iterable[str],
    *,
    organization: str,
    given: Mapping[str, object] | None = None,
) -> Iterator[Preview]:
    """With the samples where nothing is given. Raises BadVariable."""
    variables = declared_by(version)
    values = built_in(organization) | values_of(variables, samples_of(variables) | dict(given or {}))
    for channel in channels:
        capabilities = connector_class(channel).capabilities
        try:
            content = say(text, variables, values, capabilities)
        except Unsayable as error:
            yield Preview(channel, None, CannotCarry(error.field, error.code, error.detail))
            continue
        yield Preview(channel, content, why_not(capabilities, content))

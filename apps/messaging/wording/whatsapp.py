"""The components of a template at WhatsApp: its JSON, with variables within the strings."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson
from django.utils.translation import gettext as _

from apps.messaging.wording.variables import Variable, VariableType

COMPONENT_TYPES = ("header", "body", "button")
LARGEST_COMPONENTS = 16_384
DEEPEST = 8
_NAME = re.compile(r"[a-z0-9_]{1,512}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Za-z]{2,4})?")
_LARGEST_INTEGER = 2**53


class BadComponents(Exception):
    def __init__(self, detail: str, field: str = "") -> None:
        super().__init__(detail)
        self.field, self.detail = field, detail


def is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def is_language(text: str) -> bool:
    return _LANGUAGE.fullmatch(text) is not None


def language_of(language: str) -> str:
    """As WhatsApp writes it."""
    return language.replace("-", "_")


def check(components: object) -> None:
    """That it looks like what WhatsApp takes; what the template needs, it alone knows. Raises BadComponents."""
    if not isinstance(components, list):
        raise BadComponents(_("A list of components is needed."))
    for n, component in enumerate(components):
        if not isinstance(component, dict) or component.get("type") not in COMPONENT_TYPES:
            detail = _("An object is needed whose type is one of: %(known)s.")
            raise BadComponents(detail % {"known": ", ".join(COMPONENT_TYPES)}, str(n))
        parameters = component.get("parameters", [])
        if not isinstance(parameters, list) or not all(_is_parameter(each) for each in parameters):
            raise BadComponents(_("A list of objects is needed, each with a type."), f"{n}/parameters")
    _check_values(components, 1)
    if len(orjson.dumps(components)) > LARGEST_COMPONENTS:
        raise BadComponents(_("At most %(most)d bytes of JSON.") % {"most": LARGEST_COMPONENTS})


def _is_parameter(given: object) -> bool:
    return isinstance(given, dict) and isinstance(given.get("type"), str)


def _check_values(given: object, depth: int) -> None:
    if depth > DEEPEST:
        raise BadComponents(_("At most %(most)d levels deep.") % {"most": DEEPEST})
    if isinstance(given, dict | list):
        for name in given if isinstance(given, dict) else ():
            if not isinstance(name, str) or not name.isidentifier():
                raise BadComponents(_("The names of fields are letters, digits and underscores."))
        for each in given.values() if isinstance(given, dict) else given:
            _check_values(each, depth + 1)
    elif isinstance(given, float) or (isinstance(given, int) and abs(given) > _LARGEST_INTEGER):
        raise BadComponents(_("Numbers are whole and of at most 15 digits here."))


def of_variables(variables: Sequence[Variable]) -> list[dict[str, Any]]:
    """Where nobody wrote any: the variables are the parameters of the body, in their order."""
    written = [variable for variable in variables if variable.type is not VariableType.BOOLEAN]
    if not written:
        return []
    parameters = [{"type": "text", "text": f"{{{{ {variable.name} }}}}"} for variable in written]
    return [{"type": "body", "parameters": parameters}]


def strings(components: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Each with where it is, such as `0/parameters/1/text`."""
    if isinstance(components, str):
        yield place, components
    elif isinstance(components, dict | list):
        pairs = components.items() if isinstance(components, dict) else enumerate(components)
        for name, inner in pairs:
            yield from strings(inner, f"{place}/{name}".lstrip("/"))


def filled(components: Any, fill: Callable[[str, str], str], place: str = "") -> Any:
    """The same, every string of it replaced by what `fill` makes of its place and itself."""
    if isinstance(components, str):
        return fill(place, components)
    if isinstance(components, dict):
        return {name: filled(inner, fill, f"{place}/{name}".lstrip("/")) for name, inner in components.items()}
    if isinstance(components, list):
        return [filled(inner, fill, f"{place}/{n}".lstrip("/")) for n, inner in enumerate(components)]
    return components

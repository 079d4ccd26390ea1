"""What a template's source may be, and putting values into it.

A small part of Jinja's language: texts, variables, filters and conditions. Whatever a source may not be is refused
when it is saved, by its syntax tree and by the types of its variables, so that rendering cannot fail, run long, or
reach anything but the values. That it runs in Jinja's sandbox as well is a second lock on the same door.
"""

import math
from collections.abc import Mapping
from enum import Enum, auto
from functools import lru_cache

from babel import Locale
from django.utils.translation import gettext as _
from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from apps.messaging.wording.formats import DATE_LENGTHS, FILTERS, LOCALE, as_written
from apps.messaging.wording.variables import LARGEST_NUMBER, Value, VariableType

# In bytes.
LONGEST_SOURCE = 16_384
# In characters.
LONGEST_RENDERED = 65_536
# Of conditions in conditions, and of expressions.
DEEPEST = 20
MOST_DIGITS = 6
_KEPT_COMPILED = 512


class Kind(Enum):
    """What can be compared with what, and what a filter takes."""

    TEXT = auto()
    NUMBER = auto()
    MONEY = auto()
    DATE = auto()
    MOMENT = auto()
    TRUTH = auto()


_KINDS = {
    VariableType.TEXT: Kind.TEXT,
    VariableType.URL: Kind.TEXT,
    VariableType.NUMBER: Kind.NUMBER,
    VariableType.MONEY: Kind.MONEY,
    VariableType.DATE: Kind.DATE,
    VariableType.DATETIME: Kind.MOMENT,
    VariableType.BOOLEAN: Kind.TRUTH,
}
_AMOUNTS = {Kind.NUMBER, Kind.MONEY}
# All but `default`, which takes anything and gives what it takes. The others give texts.
_TAKES = {
    "upper": {Kind.TEXT},
    "lower": {Kind.TEXT},
    "title": {Kind.TEXT},
    "trim": {Kind.TEXT},
    "money": {Kind.MONEY},
    "date": {Kind.DATE, Kind.MOMENT},
    "time": {Kind.MOMENT},
    "number": _AMOUNTS,
}


class NotAllowed(Exception):
    """What a source may not be; `detail` names the line and says what is allowed."""

    def __init__(self, line: int, detail: str) -> None:
        super().__init__(detail)
        self.detail = _("Line %(line)d: %(detail)s") % {"line": line, "detail": detail}


class Unrendered(Exception):
    """`detail` says why."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined,
    # Texts for people, not pages.
    autoescape=False,
    finalize=as_written,
    # A condition on a line of its own leaves no empty line behind.
    trim_blocks=True,
    lstrip_blocks=True,
    cache_size=0,
)
_ENVIRONMENT.globals.clear()
_ENVIRONMENT.tests.clear()
_ENVIRONMENT.filters = FILTERS


def check(source: str, variables: Mapping[str, VariableType]) -> None:
    """Raises NotAllowed."""
    if not _is_storable(source):
        raise NotAllowed(1, _("Characters that cannot be stored are not allowed."))
    if len(source.encode()) > LONGEST_SOURCE:
        raise NotAllowed(1, _("At most %(most)d bytes.") % {"most": LONGEST_SOURCE})
    try:
        tree = _ENVIRONMENT.parse(source)
    except TemplateSyntaxError as error:
        raise NotAllowed(error.lineno, error.message or "") from None
    except RecursionError:
        raise NotAllowed(1, _too_deep()) from None
    except ValueError:  # a number longer than Python reads
        raise NotAllowed(1, _allowed()) from None
    _check_all(tree.body, {name: _KINDS[variable] for name, variable in variables.items()}, 1)
    _compiled(source)


def render(source: str, values: Mapping[str, Value], locale: Locale) -> str:
    """Of a source that was checked, with a value for all that it may name. Raises Unrendered."""
    if "{" not in source:
        return source
    pieces: list[str] = []
    length = 0
    try:
        for piece in _compiled(source).generate({**values, LOCALE: locale}):
            pieces.append(piece)
            length += len(piece)
            if length > LONGEST_RENDERED:
                raise Unrendered(_("With these variables it is longer than %(most)d characters.")
                                 % {"most": LONGEST_RENDERED})  # fmt: skip
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise Unrendered(_("With these variables it cannot be written.")) from error
    return "".join(pieces)


@lru_cache(maxsize=_KEPT_COMPILED)
def _compiled(source: str) -> Template:
    return _ENVIRONMENT.from_string(source)


type Kinds = Mapping[str, Kind]


def _check_all(statements: list[nodes.Node], kinds: Kinds, depth: int) -> None:
    for statement in statements:
        match statement:
            case nodes.Output(nodes=parts):
                for part in parts:
                    _check_output(part, kinds, depth)
            case nodes.If():
                _check_if(statement, kinds, depth)
            case _:
                raise NotAllowed(statement.lineno, _allowed())


def _check_output(part: nodes.Node, kinds: Kinds, depth: int) -> None:
    if isinstance(part, nodes.TemplateData):
        return
    if _kind(part, kinds, depth) is Kind.TRUTH:
        detail = _("True or false cannot be written. Ask with {% if … %} what to write instead.")
        raise NotAllowed(part.lineno, detail)


def _check_if(statement: nodes.If, kinds: Kinds, depth: int) -> None:
    # Python, which it is compiled to, takes each elif for an if within the one before.
    for n, branch in enumerate([statement, *statement.elif_]):
        _kind(branch.test, kinds, depth + n + 1)
        _check_all(branch.body, kinds, depth + n + 1)
    _check_all(statement.else_, kinds, depth + 1)


def _kind(node: nodes.Node, kinds: Kinds, depth: int) -> Kind:
    """Of an expression, once it was found to be allowed."""
    if depth > DEEPEST:
        raise NotAllowed(node.lineno, _too_deep())
    match node:
        case nodes.Name(name=name):
            if name not in kinds:
                detail = _("There is no variable %(name)s. Known: %(known)s.")
                raise NotAllowed(node.lineno, detail % {"name": name, "known": ", ".join(kinds)})
            return kinds[name]
        case nodes.Const(value=value):
            return _kind_of_constant(node, value)
        case nodes.Neg(node=nodes.Const(value=value) as constant) if not isinstance(value, bool | str):
            return _kind_of_constant(constant, value)
        case nodes.Filter():
            return _kind_of_filter(node, kinds, depth)
        case nodes.Compare():
            return _kind_of_comparison(node, kinds, depth)
        case nodes.And() | nodes.Or() | nodes.Not():
            for inner in node.iter_child_nodes():
                _kind(inner, kinds, depth + 1)
            return Kind.TRUTH
    raise NotAllowed(node.lineno, _allowed())


def _kind_of_constant(node: nodes.Node, value: object) -> Kind:
    if isinstance(value, bool):
        return Kind.TRUTH
    if isinstance(value, str) and _is_storable(value):
        return Kind.TEXT
    if isinstance(value, int | float) and math.isfinite(value) and abs(value) < LARGEST_NUMBER:
        return Kind.NUMBER
    raise NotAllowed(node.lineno, _allowed())


def _kind_of_filter(node: nodes.Filter, kinds: Kinds, depth: int) -> Kind:
    if node.node is None or node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None:
        raise NotAllowed(node.lineno, _allowed())
    taken = _kind(node.node, kinds, depth + 1)
    match node.name, node.args:
        case "default", [instead] if _kind(instead, kinds, depth + 1) is taken:
            return taken
        case "date", [nodes.Const(value=str(length))] if length not in DATE_LENGTHS:
            detail = _("How long a date is: %(known)s.") % {"known": ", ".join(DATE_LENGTHS)}
            raise NotAllowed(node.lineno, detail)
        case ("date", [nodes.Const(value=str())]) | (str(), []):
            is_allowed = True
        case "number", [nodes.Const(value=int(digits))]:
            is_allowed = not isinstance(digits, bool) and 0 <= digits <= MOST_DIGITS
        case _:
            is_allowed = False
    if not is_allowed or taken not in _TAKES.get(node.name, ()):
        detail = _("The filter %(name)s cannot be used so. %(allowed)s")
        raise NotAllowed(node.lineno, detail % {"name": node.name, "allowed": _allowed()})
    return Kind.TEXT


def _kind_of_comparison(node: nodes.Compare, kinds: Kinds, depth: int) -> Kind:
    left = _kind(node.expr, kinds, depth + 1)
    for operand in node.ops:
        right = _kind(operand.expr, kinds, depth + 1)
        is_alike = left is right or {left, right} == _AMOUNTS
        if operand.op in {"in", "notin"} or not is_alike:
            raise NotAllowed(node.lineno, _("Only things of the same type can be compared."))
        if left is Kind.TRUTH and operand.op not in {"eq", "ne"}:
            raise NotAllowed(node.lineno, _("True is neither more nor less than false."))
        left = right
    return Kind.TRUTH


def _is_storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _too_deep() -> str:
    return _("This is nested deeper than %(most)d levels.") % {"most": DEEPEST}


def _allowed() -> str:
    return _(
        "Allowed are texts, {{ variable }}, the filters %(filters)s, and {%% if %%} with elif, else, ==, !=, <, "
        "<=, >, >=, and, or, not."
    ) % {"filters": ", ".join(FILTERS)}

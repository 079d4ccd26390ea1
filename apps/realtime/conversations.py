"""Which conversations there are. The app that keeps them stands above this one and says so at the start."""

from collections.abc import Callable, Sequence
from uuid import UUID

type OfOrganization = tuple[UUID, UUID]
"""An organization's id and the id that somebody there named."""

type LookUp = Callable[[Sequence[OfOrganization]], set[OfOrganization]]

_look_up: LookUp | None = None


def register_look_up(look_up: LookUp) -> None:
    global _look_up  # noqa: PLW0603 - said once, when Django starts
    _look_up = look_up


def which_exist(wanted: Sequence[OfOrganization]) -> list[bool]:
    assert _look_up is not None, "no app has said which conversations there are"
    existing = _look_up(wanted)
    return [pair in existing for pair in wanted]

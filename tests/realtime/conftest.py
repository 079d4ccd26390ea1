import pytest

from tests.cast import House, as_member
from tests.messaging import history
from tests.realtime.tape import Tape


@pytest.fixture
def tape() -> Tape:
    return Tape()


@pytest.fixture
def token(aurora: House) -> str:
    """`Bearer …` of an agent of Padaria Aurora."""
    return as_member(aurora.agent).credential


@pytest.fixture
def ana(aurora: House) -> str:
    """The id of a conversation of Padaria Aurora with Ana."""
    return str(history.queued(aurora, to=history.ANA).conversation_id)


@pytest.fixture
def bia(aurora: House) -> str:
    return str(history.queued(aurora, to=history.BIA).conversation_id)

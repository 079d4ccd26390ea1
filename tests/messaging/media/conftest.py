from collections.abc import Iterator

import pytest

from apps.files.stores.store import Store
from apps.messaging.engine import media_parts
from apps.messaging.engine.loop import Loop
from tests.cast import House
from tests.messaging.desk import open_account
from tests.messaging.media.file_server import FileServer, run_file_server
from tests.messaging.media.mailbox import Mailbox

# A file of a few of them is small enough to be fetched a hundred times.
PART_BYTES = 1000


@pytest.fixture
def files() -> Iterator[FileServer]:
    with run_file_server() as server:
        yield server


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(media_parts, "PART_BYTES", PART_BYTES)
    return PART_BYTES


@pytest.fixture
def mailbox(aurora: House, loop: Loop, file_store: Store, small_parts: int) -> Mailbox:
    """Of an account on Instagram, whose people send links to wherever a test wants."""
    return Mailbox(aurora, open_account(aurora, "instagram"), loop)

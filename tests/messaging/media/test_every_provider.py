"""Each provider hands out in its own way what people send; the file is the same."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from pytest_django import Settings

from apps.channels.registry import connector
from apps.files.stores.store import Store
from apps.messaging.engine.loop import Loop
from apps.messaging.models import Message
from tests.cast import House
from tests.messaging.desk import CREDENTIALS, open_account
from tests.messaging.media.mailbox import content_of, file_of, media_in, noise, work
from tests.messaging.media.simulated import Person, Simulated, run_simulated

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = {
    "whatsapp_cloud": Person("whatsapp", CREDENTIALS["whatsapp_cloud"]["phone_number_id"], "5511912345601"),
    "instagram": Person("instagram", CREDENTIALS["instagram"]["instagram_id"], "17840000000001"),
    "telegram": Person("telegram", "100200300", "1784000001"),
    "sms": Person("twilio", CREDENTIALS["sms"]["account_sid"], "5511912345601"),
    "evolution": Person("evolution", CREDENTIALS["evolution"]["instance"], "5511912345601"),
}
MEGABYTE = 1024 * 1024


@dataclass
class Stage:
    simulated: Simulated
    person: Person
    loop: Loop

    def send(self, content: bytes, media_type: str, name: str = "", **said: str) -> Message:
        """A person sends it; everything that was rung for is done."""
        media = self.simulated.hold(content, media_type, name)
        self.simulated.say(self.person, media=media, **said)
        work(self.loop)
        return Message.across_organizations.get()


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    with run_simulated(tmp_path_factory.mktemp("simulated")) as simulated:
        yield simulated


@pytest.fixture(params=PEOPLE)
def stage(
    request: pytest.FixtureRequest,
    aurora: House,
    loop: Loop,
    file_store: Store,
    simulated: Simulated,
    settings: Settings,
) -> Stage:
    name: str = request.param
    url = simulated.url
    settings.PUBLIC_URL = simulated.public_url
    settings.CONNECTOR_URLS = {
        "whatsapp_cloud": f"{url}/whatsapp/v23.0",
        "instagram": f"{url}/instagram/v23.0",
        "telegram": f"{url}/telegram",
        "sms": f"{url}/twilio",
    }
    connector.cache_clear()
    own_server = {"server_url": f"{url}/evolution"} if name == "evolution" else {}
    simulated.tell(open_account(aurora, name, credentials=own_server))
    return Stage(simulated, PEOPLE[name], loop)


def test_what_a_person_sends_is_the_same_here(stage: Stage) -> None:
    """More than one part of it, where the provider hands out parts."""
    content = noise(9 * MEGABYTE)
    message = stage.send(content, "image/png", text="Veja")
    file = file_of(message)
    assert content_of(file) == content
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert (message.text, message.direction) == ("Veja", "inbound")
    shown = media_in(message)
    assert (shown["kind"], shown["media_type"], shown["size"]) == ("image", "image/png", len(content))
    assert file.name.startswith("image")


def test_document_keeps_its_name_where_the_provider_tells_it(stage: Stage) -> None:
    message = stage.send(b"%PDF-1.7 a bill", "application/pdf", "conta.pdf")
    shown = media_in(message)
    assert (shown["kind"], shown["media_type"]) == ("document", "application/pdf")
    is_told = stage.person.provider not in {"instagram", "twilio"}
    assert file_of(message).name.startswith("conta.pdf" if is_told else "document")


def test_file_that_the_provider_lost_is_told_of(stage: Stage) -> None:
    media = stage.simulated.hold(b"%PDF-1.7 a bill", "application/pdf")
    stage.simulated.say(stage.person, media=media, text="Segue")
    stage.simulated.lose(media)
    work(stage.loop)
    shown = media_in(Message.across_organizations.get())
    assert shown["error"] in {"gone", "400"}
    assert "file_id" not in shown

"""A client that others wrote for WhatsApp's real API gets along with the simulated one, in both directions."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio
from pywa_async.client import WhatsApp
from pywa_async.errors import WhatsAppError
from pywa_async.handlers import CallbackButtonHandler, MessageHandler
from pywa_async.types.callback import Button
from pywa_async.types.templates import BodyText, TemplateLanguage

from tests.channels.simulators.stage import ANA, NUMBER, SECRET, Stage

PHOTO = "https://files.example/photo.jpg"


class ToSimulator(httpx.AsyncBaseTransport):
    """What is meant for Meta goes to the simulator."""

    def __init__(self, url: str) -> None:
        self._url = httpx.URL(url)
        self._transport = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(
            scheme=self._url.scheme,
            host=self._url.host,
            port=self._url.port,
            raw_path=b"/whatsapp" + request.url.raw_path,
        )
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        await self._transport.aclose()


class Client(WhatsApp):
    def __init__(self, session: httpx.AsyncClient) -> None:
        super().__init__(NUMBER, "a-good-token", session=session, app_secret=SECRET)
        self.read: list[Any] = []
        self.add_handlers(MessageHandler(self._keep), CallbackButtonHandler(self._keep))

    async def _keep(self, _: Any, update: Any) -> None:
        self.read.append(update)


@pytest_asyncio.fixture
async def client(stage: Stage) -> AsyncIterator[Client]:
    async with httpx.AsyncClient(transport=ToSimulator(stage.url)) as session:
        yield Client(session)


async def test_everything_is_sent(stage: Stage, client: Client) -> None:
    text = await client.send_message(ANA, "Olá", tracker="m-1")
    await client.send_message(ANA, "Isso", reply_to_message_id=text.id, tracker="m-2")
    await client.send_message(ANA, "Vem?", footer="Padaria", buttons=[Button("Sim", "yes"), Button("Não", "no")])
    await client.send_image(ANA, PHOTO, caption="Veja")
    await client.send_document(ANA, PHOTO, filename="nota.pdf", buttons=[Button("Sim", "yes")], caption="Serve?")
    await client.send_audio(ANA, PHOTO)
    await client.send_template(
        ANA, "greeting", TemplateLanguage.PORTUGUESE_BR, [BodyText.params(name="Ana")], tracker="m-7"
    )
    log = (await stage.ask("GET", "/control/received")).document
    told = [orjson.loads(line)["text"] for line in log.splitlines()]
    assert told[:-1] == [
        "Olá",
        "Isso",
        "Vem?\nPadaria [Sim] [Não]",
        f"Veja [image {PHOTO}]",
        f"Serve? [document {PHOTO}] [Sim]",
        f"[audio {PHOTO}]",
    ]
    assert told[-1].startswith('[template] {"name":"greeting","language":{"code":"pt_BR"},"components":[{"type":"')
    keys = await stage.received(ANA)
    assert (keys[0], keys[1], keys[-1]) == ("m-1", "m-2", "m-7")


async def test_refusal_is_understood(stage: Stage, client: Client) -> None:
    await stage.order({"kind": "blocked"})
    with pytest.raises(WhatsAppError) as refused:
        await client.send_message(ANA, "Olá")
    assert refused.value.code == 131026


async def test_what_people_write_is_read(stage: Stage, client: Client) -> None:
    text = await heard(stage, client, text="Oi", name="Ana", reply_to="wamid.ours")
    assert (text.text, text.from_user.wa_id, text.from_user.name) == ("Oi", ANA, "Ana")
    assert text.reply_to_message is not None
    assert text.reply_to_message.id == "wamid.ours"
    assert text.metadata.phone_number_id == NUMBER
    image = await heard(stage, client, text="Esta", media_url="1013859600285441")
    assert image.image is not None
    assert (image.image.id, image.caption) == ("1013859600285441", "Esta")
    document = await heard(stage, client, media_url="2013859600285441", media_kind="document")
    assert document.document is not None
    button = await heard(stage, client, text="Sim", button="yes", reply_to="wamid.ours")
    assert (button.title, button.data) == ("Sim", "yes")


async def heard(stage: Stage, client: Client, **said: str) -> Any:
    """What the client reads from the callback, once it has seen the signature."""
    document = {"provider": "whatsapp", "account": NUMBER, "from": f"+{ANA}", **said}
    assert (await stage.ask("POST", "/control/say", document)).status == 202
    callback = stage.receiver.callbacks[-1]
    assert await client.webhook_update_validator(callback.body, callback.headers["X-Hub-Signature-256"]) is None
    assert await client.webhook_update_handler(callback.body) == ("ok", 200)
    return client.read.pop()

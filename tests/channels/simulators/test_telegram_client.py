"""The simulated Telegram, driven by a client library that knows nothing of us: python-telegram-bot."""

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, ReplyParameters, Update
from telegram.error import BadRequest, Forbidden, InvalidToken, RetryAfter
from telegram.request import HTTPXRequest

from tests.channels.simulators.stage import Stage

ID = 7100200300
TOKEN = f"{ID}:token-of-somebodys-bot"
ANA = 7012345601
PHOTO = "https://files.example/bread.jpg"


def bot_at(stage: Stage, token: str = TOKEN) -> Bot:
    # Whatever proxy this machine uses does not lead to itself.
    direct = {"trust_env": False}
    requests = [HTTPXRequest(httpx_kwargs=direct), HTTPXRequest(httpx_kwargs=direct)]
    return Bot(token, base_url=f"{stage.url}/telegram/bot", request=requests[0], get_updates_request=requests[1])


@pytest_asyncio.fixture
async def bot(stage: Stage) -> AsyncIterator[Bot]:
    async with bot_at(stage) as bot:
        yield bot


async def say(stage: Stage, **said: str) -> None:
    body = {"provider": "telegram", "account": str(ID), "from": str(ANA), "name": "Ana Souza", **said}
    assert (await stage.ask("POST", "/control/say", body)).status == 202


async def test_library_knows_whose_token_it_has(bot: Bot) -> None:
    me = await bot.get_me()
    assert (me.id, me.is_bot, me.username) == (ID, True, f"simulated_{ID}_bot")


async def test_library_sends_a_text_and_an_answer_to_it(stage: Stage, bot: Bot) -> None:
    first = await bot.send_message(ANA, "Olá, João! 🥖")
    assert (first.text, first.chat_id, first.chat.type) == ("Olá, João! 🥖", ANA, "private")
    assert first.from_user
    assert first.from_user.id == ID
    answer = await bot.send_message(ANA, "Tudo bem?", reply_parameters=ReplyParameters(first.message_id))
    assert answer.reply_to_message
    assert answer.reply_to_message.message_id == first.message_id
    assert await stage.received(str(ANA)) == [str(first.message_id), str(answer.message_id)]


async def test_library_sends_media_by_their_address(bot: Bot) -> None:
    photo = await bot.send_photo(ANA, PHOTO, caption="Pão")
    assert (photo.caption, len(photo.photo)) == ("Pão", 1)
    assert (await bot.send_audio(ANA, PHOTO)).audio
    assert (await bot.send_video(ANA, PHOTO)).video
    assert (await bot.send_document(ANA, PHOTO)).document


async def test_library_uploads_files(stage: Stage, bot: Bot) -> None:
    content = bytes(range(256)) * 1000
    sent = await bot.send_document(ANA, content, filename="pão.pdf", caption="Pão")
    assert (sent.caption, sent.document is not None) == ("Pão", True)
    assert (await bot.send_photo(ANA, content, filename="pão.png")).photo
    kept = (await stage.ask("GET", "/control/uploads")).document
    assert [each["sha256"] for each in kept] == [hashlib.sha256(content).hexdigest()] * 2


async def test_library_sends_buttons_and_hears_which_was_touched(stage: Stage, bot: Bot) -> None:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Sim", callback_data="yes")]])
    sent = await bot.send_message(ANA, "Confirma?", reply_markup=keyboard)
    assert sent.reply_markup == keyboard
    await bot.set_webhook(f"{stage.receiver.url}/telegram", secret_token="a-secret")
    await say(stage, button="yes", text="Sim", reply_to=str(sent.message_id))
    update = Update.de_json(stage.receiver.callbacks[0].document, bot)
    query = update.callback_query
    assert query
    assert query.message
    assert (query.data, query.message.message_id, query.from_user.full_name) == (
        "yes",
        sent.message_id,
        "Ana Souza",
    )
    assert await query.answer()


async def test_library_is_called_at_the_webhook_it_set(stage: Stage, bot: Bot) -> None:
    await bot.set_webhook(f"{stage.receiver.url}/telegram", secret_token="a-secret", allowed_updates=["message"])
    assert (await bot.get_webhook_info()).url == f"{stage.receiver.url}/telegram"
    await say(stage, text="Oi!", reply_to="7")
    await say(stage, text="Olha", media_url=PHOTO, media_kind="image")
    written, shown = (Update.de_json(callback.document, bot).message for callback in stage.receiver.callbacks)
    assert written
    assert written.from_user
    assert written.reply_to_message
    assert (written.text, written.from_user.full_name, written.chat_id) == ("Oi!", "Ana Souza", ANA)
    assert written.reply_to_message.message_id == 7
    assert shown
    assert (shown.caption, shown.photo[-1].width) == ("Olha", 1280)
    assert stage.receiver.callbacks[0].headers["X-Telegram-Bot-Api-Secret-Token"] == "a-secret"
    assert await bot.delete_webhook()
    assert (await bot.get_webhook_info()).url == ""


async def test_library_understands_how_it_is_refused(
    stage: Stage, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")  # what its next version does by itself, and warns of until then
    with pytest.raises(BadRequest, match="Message text is empty"):
        await bot.send_message(ANA, "")
    await stage.order({"kind": "blocked", "provider": "telegram"})
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(ANA, "Oi!")
    await stage.order({"kind": "rate_limited", "provider": "telegram", "retry_after": 9})
    with pytest.raises(RetryAfter) as limited:
        await bot.send_message(ANA, "Oi!")
    assert limited.value.retry_after == timedelta(seconds=9)
    for token in ("no-token", f"{ID}:of-a-bot-that-is-invalid"):
        with pytest.raises(InvalidToken):
            async with bot_at(stage, token):
                pass

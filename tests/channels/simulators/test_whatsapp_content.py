"""What WhatsApp takes as a message's content, and how it is told."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from apps.channels.carrying import why_not
from apps.channels.connector import Outbound
from apps.channels.connectors.whatsapp_cloud import WhatsappCloud
from apps.channels.content import Button, Content, Media
from apps.core.ids import new_id
from tests.channels import test_whatsapp_cloud
from tests.channels.simulators.stage import ANA, NUMBER, Stage, whatsapp_body

MESSAGES = f"/whatsapp/v23.0/{NUMBER}/messages"
LINK = "https://files.example/a"
BUTTONS = [{"type": "reply", "reply": {"id": "yes", "title": "Sim"}}]


async def test_template_is_kept_as_its_json(stage: Stage) -> None:
    body = whatsapp_body("m-1") | {
        "type": "template",
        "template": {"name": "invoice", "language": {"code": "pt_BR"}},
    }
    assert (await stage.ask("POST", MESSAGES, body)).status == 200
    log = (await stage.ask("GET", "/control/received")).document
    note, _, kept = orjson.loads(log)["text"].partition(" ")
    assert (note, orjson.loads(kept)) == ("[template]", body["template"])


async def test_everything_that_the_connector_sends_is_taken(stage: Stage) -> None:
    for _, body in test_whatsapp_cloud.TestWhatsappCloud.contents:
        answer = await stage.ask("POST", MESSAGES, body | {"context": {"message_id": "wamid.theirs"}})
        assert answer.status == 200, answer.document


def limits() -> Iterator[tuple[Content, Content]]:
    """What the connector says that it can carry at most, and a little more."""
    can = WhatsappCloud.capabilities
    yield Content("x" * can.longest_text), Content("x" * (can.longest_text + 1))
    title, longest = "x" * can.longest_button, can.longest_text_with_buttons or 0
    yield (
        Content("x" * longest, buttons=(Button("1", title),)),
        Content("x" * (longest + 1), buttons=(Button("1", "x"),)),
    )
    many = tuple(Button(str(number), str(number)) for number in range(can.most_buttons + 1))
    yield Content("x", buttons=many[:-1]), Content("x", buttons=many)
    yield Content("x", buttons=(Button("1", title),)), Content("x", buttons=(Button("1", title + "x"),))
    for kind, rule in can.media.items():
        caption = "x" * rule.longest_caption
        yield Content(caption, media=Media(kind, LINK)), Content(caption + "x", media=Media(kind, LINK))


@pytest.mark.parametrize(("most", "more"), [*limits()])
async def test_what_the_connector_says_it_can_carry_is_what_is_taken(
    stage: Stage, most: Content, more: Content
) -> None:
    for content, status in ((most, 200), (more, 400)):
        assert (why_not(WhatsappCloud.capabilities, content) is None) == (status == 200)
        body = WhatsappCloud("").build_body(Outbound(new_id(), ANA, content, {}))
        assert (await stage.ask("POST", MESSAGES, body)).status == status


@pytest.mark.parametrize(
    ("kind", "content", "text"),
    [
        ("image", {"link": LINK}, f"[image {LINK}]"),
        ("image", {"link": LINK, "caption": "Veja"}, f"Veja [image {LINK}]"),
        ("document", {"id": "1013859600285441", "filename": "a.pdf"}, "[document 1013859600285441]"),
        (
            "interactive",
            {"type": "button", "body": {"text": "Vem?"}, "action": {"buttons": BUTTONS}},
            "Vem? [Sim]",
        ),
        (
            "interactive",
            {
                "type": "button",
                "header": {"type": "text", "text": "Festa"},
                "body": {"text": "Vem?"},
                "footer": {"text": "Padaria"},
                "action": {"buttons": BUTTONS},
            },
            "Festa\nVem?\nPadaria [Sim]",
        ),
        (
            "interactive",
            {
                "type": "button",
                "header": {"type": "image", "image": {"link": LINK}},
                "body": {"text": "Vem?"},
                "action": {"buttons": BUTTONS},
            },
            f"Vem? [image {LINK}] [Sim]",
        ),
        ("location", {"latitude": 1}, '[location] {"latitude":1}'),
    ],
)
async def test_content_is_told_by_its_words_and_what_goes_with_them(
    stage: Stage, kind: str, content: dict[str, Any], text: str
) -> None:
    assert (await stage.ask("POST", MESSAGES, whatsapp_body() | {"type": kind, kind: content})).status == 200
    assert orjson.loads((await stage.ask("GET", "/control/received")).document)["text"] == text


def of_buttons(**changes: Any) -> dict[str, Any]:
    said = {"type": "button", "body": {"text": "Vem?"}, "action": {"buttons": BUTTONS}} | changes
    return {"type": "interactive", "interactive": said}


def of_reply(**changes: Any) -> dict[str, Any]:
    return of_buttons(action={"buttons": [{"type": "reply", "reply": {"id": "yes", "title": "Sim"} | changes}]})


def of_template(**changes: Any) -> dict[str, Any]:
    return {"type": "template", "template": {"name": "hello", "language": {"code": "pt_BR"}} | changes}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"type": "image", "image": {"caption": "Veja"}}, 131008),
        ({"type": "image", "image": {"link": "files.example/a"}}, 100),
        ({"type": "image", "image": {"link": LINK, "id": "1"}}, 100),
        ({"type": "image", "image": {"id": 1}}, 100),
        ({"type": "image", "image": {"link": LINK, "caption": "x" * 1025}}, 100),
        ({"type": "image", "image": {"link": LINK, "filename": "a.png"}}, 100),
        ({"type": "document", "document": {"link": LINK, "filename": 1}}, 100),
        ({"type": "audio", "audio": {"link": LINK, "caption": "Ouça"}}, 100),
        (of_buttons(body={}), 131008),
        (of_buttons(body={"text": "x" * 1025}), 100),
        (of_buttons(footer={"text": "x" * 61}), 100),
        (of_buttons(header={"type": "audio", "audio": {"link": LINK}}), 100),
        (of_buttons(header={"type": "image"}), 131008),
        (of_buttons(header={"type": "text", "text": "x" * 61}), 100),
        (of_buttons(action={}), 100),
        (of_buttons(action={"buttons": []}), 100),
        (of_buttons(action={"buttons": BUTTONS * 4}), 100),
        (of_buttons(action={"buttons": BUTTONS * 2}), 100),
        (of_buttons(action={"buttons": [{"type": "url"}]}), 100),
        (of_reply(id=""), 131008),
        (of_reply(title=""), 131008),
        (of_reply(id="x" * 257), 100),
        (of_reply(title="x" * 21), 100),
        (of_template(name="Hello!"), 100),
        (of_template(name=None), 131008),
        (of_template(language="pt_BR"), 100),
        (of_template(language={"code": "português"}), 100),
        (of_template(components={}), 100),
        (of_template(components=[{"type": "chorus"}]), 100),
        (of_template(components=[{"parameters": []}]), 100),
        (of_template(components=[{"type": "body", "parameters": "João"}]), 100),
        (of_template(components=[{"type": "body", "parameters": [{"text": "João"}]}]), 100),
        ({"context": "wamid.theirs"}, 100),
        ({"context": {}}, 100),
        ({"context": {"message_id": 7}}, 100),
    ],
)
async def test_content_that_whatsapp_would_refuse_is_refused(
    stage: Stage, content: dict[str, Any], code: int
) -> None:
    answer = await stage.ask("POST", MESSAGES, whatsapp_body() | content)
    assert (answer.status, answer.code) == (400, code)

"""Files in conversations: chosen, brought, sent, shown and fetched, in a real browser."""

import io
import wave
from pathlib import Path

import pytest
from pytest_django import Settings

from apps.files import uploads
from apps.files.models import File, Upload, UploadWay
from apps.files.stores import store
from apps.files.verify import verify
from apps.messaging.engine.media_ended import give_up
from apps.messaging.models import Conversation, MediaFetch, Message
from tests.cast import House
from tests.files.bringing import sha256
from tests.live.bringing import (
    CARD,
    CHIP,
    HOLD_PARTS,
    INPUT,
    MEGABYTE,
    PENDING,
    held,
    image,
    just_sent,
    make_thumbnails,
    note,
    noted,
    open_conversation,
    saved,
    sent_file,
    size_of_all,
    wait_until,
)
from tests.live.conftest import PHONE, Enter, Provider, Visit
from tests.live.test_accessibility import BROKEN, NAMELESS, focused
from tests.live.test_conversing import hear, last_outbound
from tests.messaging.desk import ANA, BIA, Desk
from tests.server import Server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _same_disk(server: Server, settings: Settings) -> None:
    """What a worker would do is done here, where the web process has its files."""
    disk = {"BACKEND": "apps.files.stores.disk.DiskStore", "OPTIONS": {"location": str(server.files)}}
    settings.STORAGES = {**settings.STORAGES, "files": disk}


@pytest.fixture
def visit(enter: Enter, aurora: House, desk: Desk) -> Visit:
    return open_conversation(enter, aurora, desk)


def test_image_is_sent_with_its_caption_and_seen(visit: Visit) -> None:
    visit.page.set_input_files(INPUT, image())
    visit.see(f"{CHIP} .name", text="sonho.png")
    assert visit.page.evaluate(NAMELESS) == []
    assert visit.page.evaluate(BROKEN) == {"twice": [], "lost": []}
    visit.write("Estes?")
    visit.see("#messages .said", text="Estes?")
    assert visit.find(CHIP).is_hidden()
    visit.see("#messages .message:not(.pending) .picture")
    before = size_of_all(visit)
    message, file = sent_file()
    assert (message.text, file.sha256) == ("Estes?", sha256(image()["buffer"]))

    make_thumbnails()
    seen = visit.see("#messages .picture img")
    assert seen.get_attribute("alt") == "sonho.png"
    assert seen.evaluate("each => each.naturalWidth") == 480
    assert size_of_all(visit) == before, "nothing jumps"
    assert visit.page.evaluate(NAMELESS) == []

    tabs = noted(visit, "popup")
    visit.page.click("#messages .picture")
    page = tabs.next()
    page.wait_for_load_state()
    assert "/v1/storage/objects/" in page.url
    assert page.evaluate("window.opener") is None
    assert page.evaluate("document.images[0].naturalWidth") == 640
    page.close()


def test_thumbnail_is_asked_for_when_it_is_looked_at_and_its_link_kept(visit: Visit, desk: Desk) -> None:
    visit.page.set_input_files(INPUT, image())
    visit.write("Estes?")
    visit.see("#messages .message:not(.pending) .picture")
    make_thumbnails()
    desk.accept(*(f"Line {n}\n" * 5 for n in range(12)))
    desk.accept("Oi", to=BIA)
    ana, bia = (Conversation.across_organizations.get(address=address).id for address in (ANA, BIA))

    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    visit.page.reload()
    visit.see("#messages .said", text="Line 11")
    assert [url for url in asked if "presigned" in url] == []
    for _ in range(2):
        visit.find("#messages .picture").scroll_into_view_if_needed()
        visit.see("#messages .picture img")
        visit.open(bia)
        visit.see("#messages .said", text="Oi")
        visit.open(ana)
        visit.see("#messages .said", text="Line 11")
    assert len([url for url in asked if "presigned" in url]) == 1


def test_large_file_goes_to_the_storage_and_one_sees_how_far_it_is(visit: Visit, tmp_path: Path) -> None:
    large = tmp_path / "Orçamento do casamento da Ana e do Caio, revisto.pdf"
    large.write_bytes(b"%PDF-1.7\n".ljust(20 * MEGABYTE, b"\0"))
    visit.page.evaluate(HOLD_PARTS)
    visit.page.set_input_files(INPUT, str(large))
    bar = visit.see(f"{CHIP} progress")
    # Of its two parts of 16 and 4 MB, whichever was hashed first.
    visit.until("waiting.length && (waiting.shift()(), true)")
    wait_until(visit, lambda: bar.get_attribute("value") in {"20", "80"})
    assert bar.get_attribute("aria-label") == f"Uploading {large.name}"
    leaves = "dispatchEvent(new Event('beforeunload', {cancelable: true}))"
    assert visit.page.evaluate(leaves) is False, "a browser asks before it loses that"

    # One need not wait for it.
    visit.write("O orçamento")
    visit.see(f"{PENDING} .said", text="O orçamento")
    visit.see(f"{PENDING} progress")
    assert visit.find(CHIP).is_hidden()
    visit.until("waiting.length && (waiting.shift()(), true)")
    visit.see(f"{PENDING} .file-more", text="checking…")
    assert visit.find(f"{PENDING} progress").get_attribute("value") is None
    visit.write("Meanwhile")
    visit.see("#messages .message:not(.pending) .said", text="Meanwhile")

    verify(Upload.across_organizations.get().id)
    card = visit.see(CARD)
    assert card.locator(".name").text_content() == large.name
    assert card.locator(".name-end").text_content() == large.name[-12:]
    assert card.locator(".file-more").text_content() == "20 MB"
    assert visit.find(PENDING).count() == 0
    assert visit.page.evaluate(leaves) is True
    message, file = sent_file()
    assert (message.text, file.media_type) == ("O orçamento", "application/pdf")

    downloads = noted(visit, "download")
    card.locator("button").click()
    name, content = saved(downloads.next())
    assert (name, sha256(content)) == (large.name, file.sha256)


def test_upload_is_given_up_beside_the_text_and_in_the_conversation(visit: Visit) -> None:
    under_way = held(visit, "**/v1/files")
    broken_off = noted(visit, "requestfailed")
    visit.page.set_input_files(INPUT, image())
    visit.page.fill("#composer-text", "Kept")
    under_way.next()
    visit.find(f"{CHIP} .file-cancel").click()
    visit.find(CHIP).wait_for(state="hidden")
    assert (focused(visit), visit.page.input_value("#composer-text")) == ("composer-file", "Kept")
    assert broken_off.next().url.endswith("/v1/files")

    visit.page.set_input_files(INPUT, image())
    visit.write("Estes?")
    under_way.next()
    visit.find(f"{PENDING} .file-cancel").click()
    visit.find(PENDING).wait_for(state="detached")
    assert broken_off.next().url.endswith("/v1/files")
    assert not File.across_organizations.exists()
    assert [message.text for message in Message.across_organizations.all()] == ["Bom dia!"]


def test_upload_that_failed_says_why_and_begins_again(visit: Visit) -> None:
    refusal = {"code": "file_too_large", "detail": "At most 5 MB.", "status": 413}
    visit.page.route("**/v1/files", lambda route: route.fulfill(status=413, json=refusal))
    visit.page.set_input_files(INPUT, image())
    visit.see(f"{CHIP} .problem", text="At most 5 MB.")
    visit.write("Estes?")
    visit.see(f"{PENDING} .why", text="At most 5 MB.")

    visit.page.set_input_files(INPUT, note())
    visit.see(f"{CHIP} .problem", text="At most 5 MB.")
    visit.page.unroute_all()
    visit.page.click(f"{CHIP} >> text=Try again")
    visit.see(f"{CHIP} [data-phase=ready]")
    assert visit.find(f"{CHIP} .problem").is_hidden()
    visit.page.click(f"{PENDING} >> text=Send again")
    visit.see("#messages .message:not(.pending) .said", text="Estes?")


def test_file_is_dropped_or_pasted(visit: Visit) -> None:
    give = """([selector, kind, names]) => {
        const files = new DataTransfer();
        for (const name of names) files.items.add(new File(['Dois sonhos'], name, {type: 'image/png'}));
        const more = kind === 'paste' ? {clipboardData: files} : {dataTransfer: files};
        const event = new (kind === 'paste' ? ClipboardEvent : DragEvent)(kind, {bubbles: true, cancelable: true, ...more});
        return document.querySelector(selector).dispatchEvent(event);
    }"""  # noqa: E501
    visit.page.evaluate(give, ["#messages", "dragover", ["a.png"]])
    assert visit.find("#thread-open").get_attribute("data-drop") == "Drop the file here"
    visit.page.evaluate(give, ["#messages", "drop", ["a.png", "b.png"]])
    visit.see(f"{CHIP} .name", text="a.png")
    visit.see("#composer-file-problem", text="One file")
    assert visit.find("[data-drop]").count() == 0
    visit.page.evaluate(give, ["#composer-text", "paste", ["c.png"]])
    visit.see(f"{CHIP} .name", text="c.png")
    assert visit.find(f"{CHIP} .file-card").count() == 1
    visit.see(f"{CHIP} [data-phase=ready]")
    # Elsewhere the browser would leave the page for it.
    assert visit.page.evaluate(give, [".top", "drop", ["d.png"]]) is False


def test_chosen_file_stays_with_its_conversation(visit: Visit, desk: Desk) -> None:
    desk.accept("Oi", to=BIA)
    visit.page.set_input_files(INPUT, note())
    visit.see(f"{CHIP} [data-phase=ready]")
    visit.open(Conversation.across_organizations.get(address=BIA).id)
    visit.see("#messages .said", text="Oi")
    assert visit.find(CHIP).is_hidden()
    visit.open(Conversation.across_organizations.get(address=ANA).id)
    visit.see(f"{CHIP} .name", text="nota.txt")
    visit.page.click("#composer-send")
    visit.see(CARD, text="nota.txt")
    assert last_outbound().conversation.address == ANA


def test_what_goes_with_a_file_and_how_is_as_its_channel_has_it(visit: Visit) -> None:
    written = io.BytesIO()
    with wave.open(written, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8000)
        sound.writeframes(bytes(16_000))
    visit.page.fill("#composer-text", "Kept for later")
    visit.page.set_input_files(INPUT, {"name": "oi.wav", "mimeType": "audio/x-wav", "buffer": written.getvalue()})
    visit.find("#composer-text").wait_for(state="hidden")
    visit.page.click("#composer-send")
    visit.see("#messages audio")
    visit.until("document.querySelector('#messages audio').duration === 2")
    assert visit.page.input_value("#composer-text") == "Kept for later"
    assert sent_file()[0].text == ""
    visit.page.set_input_files(INPUT, image(bytes(6 * MEGABYTE)))
    visit.see(f"{CHIP} [data-phase=ready] .file-more", text="goes as a link: WhatsApp")


def test_what_a_person_sent_appears_once_it_was_fetched_or_says_why_not(
    visit: Visit, engine: Provider, aurora: House
) -> None:
    hear(engine, {**just_sent("wamid.1"), "type": "image", "image": {"id": "77001", "mime_type": "image/png"}})
    visit.see(CARD, text="being fetched…")
    fetch = MediaFetch.across_organizations.get()
    upload = uploads.begin(aurora.organization, UploadWay.FETCHED, name="bolo.png", upload_id=fetch.upload_id)
    content = image()["buffer"]
    store().put(upload.key, content)
    uploads.become_file(upload, size=len(content), sha256=sha256(content), head=content[:8192])
    engine.publish()
    visit.see("#messages .picture")
    make_thumbnails()
    assert visit.see("#messages .picture img").get_attribute("alt") == "bolo.png"
    assert visit.find(CARD).count() == 0

    hear(engine, {**just_sent("wamid.2"), "type": "video", "video": {"id": "77002", "mime_type": "video/mp4"}})
    visit.see(CARD, text="being fetched…")
    lost = MediaFetch.across_organizations.latest("message_id")
    give_up(lost.upload_id, "gone", "The provider has no such file.")
    engine.publish()
    visit.see(f"{CARD} .file-why", text="does not have it any more")


def test_name_of_a_file_is_text_that_looks_like_what_it_is(visit: Visit, engine: Provider) -> None:
    name = "<img src=x onerror=alert(1)>\u202egpj.exe"
    shown = name.replace("\u202e", "_")
    document = {"id": "77003", "mime_type": "application/pdf", "filename": name}
    hear(engine, {**just_sent("wamid.1"), "type": "document", "document": document})
    assert visit.see(f"{CARD} .name").text_content() == shown
    visit.page.set_input_files(INPUT, note(name))
    assert visit.see(f"{CHIP} .name").text_content() == shown
    assert visit.find("#messages img, #composer img").count() == 0
    visit.see(f"{CHIP} [data-phase=ready]")


def test_file_is_sent_and_fetched_without_a_mouse(visit: Visit) -> None:
    choosers = noted(visit, "filechooser")
    visit.page.focus("#composer-text")
    visit.page.keyboard.press("Shift+Tab")
    assert focused(visit) == "composer-file"
    visit.page.keyboard.press("Enter")
    choosers.next().set_files(note())
    visit.see(f"{CHIP} .name", text="nota.txt")
    assert focused(visit) == "composer-text"
    visit.page.keyboard.type("A lista")
    visit.see("#announcements", text="nota.txt is uploaded.")
    visit.page.keyboard.press("Enter")
    visit.see(CARD, text="nota.txt")
    visit.page.focus("#messages .fate >> nth=0")
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("document.activeElement.textContent") == "Download nota.txt"
    downloads = noted(visit, "download")
    visit.page.keyboard.press("Enter")
    assert saved(downloads.next()) == ("nota.txt", b"Dois sonhos")


def test_new_message_takes_a_file(enter: Enter, aurora: House, desk: Desk) -> None:
    visit = enter(aurora.owner, place="#/new")
    visit.see("#new-to-help", text="phone number")
    visit.page.fill("#new-to", ANA)
    bringing = held(visit, "**/v1/files")
    visit.page.set_input_files("#new-file-input", note())
    visit.see("#new-chosen progress")
    assert visit.find("#new-send").is_disabled()
    bringing.next().continue_()
    visit.see("#new-chosen [data-phase=ready]")
    visit.page.click("#new-send")
    visit.see(CARD, text="nota.txt")
    assert visit.find("#new-chosen").is_hidden()


def test_whoever_may_only_read_sees_files_and_brings_none(
    enter: Enter, aurora: House, desk: Desk, visit: Visit
) -> None:
    visit.page.set_input_files(INPUT, note())
    visit.page.click("#composer-send")
    visit.see(CARD, text="nota.txt")
    reader = enter(aurora.viewer, place=f"#/c/{last_outbound().conversation_id}", viewport=PHONE)
    downloads = noted(reader, "download")
    reader.see(CARD).locator("button").click()
    assert saved(downloads.next())[1] == b"Dois sonhos"
    assert reader.find("#composer-file").is_hidden()
    assert reader.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

"""The live page without a mouse, without eyes, and with eyes that need contrast."""

from typing import Any

import pytest

from tests.cast import House
from tests.live.conftest import PHONE, Enter, Visit
from tests.messaging import history
from tests.messaging.desk import BIA, Desk

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

# Text on its ground: 4.5 to 1. Signs and edges of controls: 3 to 1. (WCAG 2.2, AA.)
TEXT = [
    ("ink", "page"), ("ink", "surface"), ("ink", "raised"), ("ink", "hover"), ("ink", "selected"),
    ("quiet", "page"), ("quiet", "surface"), ("quiet", "raised"), ("quiet", "hover"), ("quiet", "selected"),
    ("faint", "page"), ("faint", "surface"), ("faint", "selected"), ("faint", "hover"),
    ("link", "surface"), ("link", "page"), ("link", "raised"), ("on-accent", "accent"),
    ("on-accent", "accent-over"), ("on-accent", "danger-fill"), ("bubble-ink", "bubble"),
    ("bubble-faint", "bubble"), ("danger", "surface"),
    ("danger", "page"), ("ink", "danger-back"), ("danger", "danger-back"), ("warning", "warning-back"),
    ("ink", "warning-back"), ("warning", "surface"), ("surface", "ink"),
]  # fmt: skip
SIGNS = [
    ("read", "bubble"), ("read", "surface"), ("read", "selected"), ("edge", "surface"), ("edge", "page"),
    ("first", "surface"), ("second", "surface"), ("danger", "surface"), ("link", "selected"),
]  # fmt: skip

# As a screen reader would say it, near enough: what is without one of these has no name.
NAMELESS = """() => {
    const text = (node) => [...node.childNodes].map((each) => each.nodeType === 3 ? each.data
        : each.nodeType === 1 && each.getAttribute('aria-hidden') !== 'true' ? text(each) : '').join(' ').trim();
    const named = (node) => node.getAttribute('aria-label')
        || (node.getAttribute('aria-labelledby') || '').split(' ').map((id) => document.getElementById(id))
            .filter(Boolean).map(text).join(' ').trim()
        || [...(node.labels || [])].map(text).join(' ').trim()
        || (node.matches('input, select, textarea') ? '' : text(node));
    const seen = (node) => node.checkVisibility();
    return [...document.querySelectorAll('a, button, input:not([type=hidden]), select, textarea, summary,'
        + '[role=img], [role=region], nav, aside, section, dialog[open], progress, ol[id], ul[id]')]
        .filter((node) => seen(node) && !named(node)).map((node) => node.outerHTML.slice(0, 120));
}"""

BROKEN = """() => {
    const ids = [...document.querySelectorAll('[id]')].map((each) => each.id);
    const twice = ids.filter((id, n) => ids.indexOf(id) !== n);
    const names = ['aria-labelledby', 'aria-describedby', 'for'];
    const lost = names.flatMap((name) => [...document.querySelectorAll(`[${name}]`)]
        .flatMap((each) => each.getAttribute(name).split(' ')).filter((id) => !document.getElementById(id)));
    return { twice, lost };
}"""

CONTRAST = """([pairs]) => {
    const style = getComputedStyle(document.documentElement);
    const probe = document.body.appendChild(document.createElement('i'));
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const light = (name) => {
        probe.style.color = `var(--${name})`;
        canvas.fillStyle = getComputedStyle(probe).color;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((each) => each / 255)
            .map((each) => each <= .04045 ? each / 12.92 : ((each + .055) / 1.055) ** 2.4);
        return .2126 * r + .7152 * g + .0722 * b;
    };
    const found = pairs.map(([one, other]) => {
        const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
        return [one, other, (high + .05) / (low + .05)];
    });
    probe.remove();
    return found;
}"""


def contrast(visit: Visit, pairs: list[tuple[str, str]]) -> list[list[Any]]:
    found: list[list[Any]] = visit.page.evaluate(CONTRAST, [[list(pair) for pair in pairs]])
    return found


def focused(visit: Visit) -> str:
    found: str = visit.page.evaluate(
        "(document.activeElement.id || document.activeElement.className || document.activeElement.tagName)"
    )
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_told_from_its_ground(enter: Enter, aurora: House, scheme: str) -> None:
    visit = enter(aurora.owner, color_scheme=scheme)
    visit.see("#no-conversations")
    assert visit.page.evaluate("document.documentElement.dataset.theme") == scheme
    too_weak = [each for each in contrast(visit, TEXT) if each[2] < 4.5]
    too_weak += [each for each in contrast(visit, SIGNS) if each[2] < 3]
    assert too_weak == []


@pytest.mark.parametrize("size", [None, PHONE], ids=["desktop", "phone"])
def test_everything_has_a_name(enter: Enter, aurora: House, desk: Desk, size: Any) -> None:
    history.dead(aurora, to=BIA)
    desk.accept("One", "Two")
    options = {"viewport": size} if size else {}
    visit = enter(aurora.owner, **options)
    visit.see("#conversation-list a >> nth=1")
    assert visit.page.evaluate(NAMELESS) == []
    visit.page.evaluate("location.hash = '/new'")
    visit.see("#new-text")
    assert visit.page.evaluate(NAMELESS) == []
    visit.page.evaluate("location.hash = '/activity'")
    assert visit.page.evaluate(NAMELESS) == []
    visit.find("#conversation-list a").first.evaluate("link => link.click()")
    visit.see("#messages .fate")
    visit.find(".fate").first.click()
    visit.see(".story-events")
    assert visit.page.evaluate(NAMELESS) == []
    assert visit.page.evaluate(BROKEN) == {"twice": [], "lost": []}
    assert visit.page.evaluate("[...document.querySelectorAll('h1')].length") == 1
    assert visit.page.evaluate("document.documentElement.lang") == "en"


def test_keyboard_leads_everywhere(enter: Enter, aurora: House, desk: Desk) -> None:
    desk.accept("To Ana")
    desk.accept("To Bia", to=BIA)
    visit = enter(aurora.owner)
    visit.see("#conversation-list a >> nth=1")
    visit.page.keyboard.press("Tab")
    assert focused(visit) == "skip"
    assert visit.find("#skip").bounding_box()["y"] >= 0  # type: ignore[index]
    visit.page.keyboard.press("Enter")
    assert focused(visit) == "thread"

    in_tab_order = visit.find("#conversation-list a[tabindex='0']")
    assert in_tab_order.count() == 1
    visit.page.focus("#search")
    visit.page.keyboard.press("Tab")
    first = visit.page.evaluate("document.activeElement.getAttribute('href')")
    assert first == visit.find("#conversation-list a").first.get_attribute("href")
    visit.page.keyboard.press("ArrowDown")
    second = visit.page.evaluate("document.activeElement.getAttribute('href')")
    assert second == visit.find("#conversation-list a").nth(1).get_attribute("href")
    assert in_tab_order.count() == 1
    visit.page.keyboard.press("Home")
    assert visit.page.evaluate("document.activeElement.getAttribute('href')") == first
    visit.page.keyboard.press("End")
    visit.page.keyboard.press("Enter")
    visit.see("#messages .said", text="To Ana")
    assert focused(visit) == "composer-text"
    visit.page.keyboard.type("By hand")
    visit.page.keyboard.press("Shift+Enter")
    visit.page.keyboard.type("in two lines")
    visit.page.keyboard.press("Enter")
    visit.see("#messages .said", text="By hand\nin two lines")

    visit.page.focus("#menu summary")
    visit.page.keyboard.press("Enter")
    visit.see(".menu-body")
    visit.page.keyboard.press("Escape")
    assert not visit.find(".menu-body").is_visible()
    ring = visit.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid", "one sees where one is"


def test_screen_readers_hear_what_became_of_their_own_message_and_not_everything(
    enter: Enter, aurora: House, desk: Desk
) -> None:
    desk.accept("To Ana")
    visit = enter(aurora.owner)
    visit.is_connected()
    regions = visit.page.eval_on_selector_all(
        "[aria-live], [role=status], [role=alert], [role=log]",
        "all => all.filter(each => each.checkVisibility()).map(each => each.id)",
    )
    assert "announcements" in regions
    assert not {"log", "messages", "conversation-list"} & set(regions)
    visit.find("#conversation-list a").first.click()
    visit.write("Can you hear me?")
    visit.see("#announcements", text="accepted")


def test_who_wants_no_motion_gets_none(enter: Enter, aurora: House) -> None:
    visit = enter(aurora.owner, reduced_motion="reduce")
    visit.see("#no-conversations")
    moving = "document.getAnimations().filter(each => each.playState === 'running').length"
    assert visit.page.evaluate(moving) == 0

"""`python -m local.pictures`: pictures of the admin for README, of a demo that this starts, or of one that runs.

It makes trouble on purpose: some people cannot be reached, one provider revokes a token. The pictures show what an
operator sees then, and the simulators are as before when it ends.
"""

import json
import os
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from local.browser_tools import chromium
from local.console import say
from local.places import ROOT, Places
from local.ports import answers
from local.processes import Process
from local.secrets_file import read_env

FOLDER = ROOT / "docs" / "images"
WIDTH, HEIGHT = 1280, 800
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
READY_SECONDS, TROUBLE_SECONDS = 180, 90
# Who cannot be reached: the provider, the connector and how many.
UNREACHABLE = (("whatsapp", "whatsapp_cloud", 30), ("twilio", "sms", 6))
TALK = (
    ("", "Oi! Vocês ainda têm pão de fermentação natural hoje?"),
    ("us", "Temos sim, saem do forno às 17h. Quer que eu separe?"),
    ("", "Quero dois, por favor. E um bolo de milho."),
    ("us", "Separados! Dois pães e um bolo de milho, R$ 68,00."),
    ("", "Perfeito, passo aí às 18h. Obrigada!"),
)


class Bakery:
    """The demo's organization, by its API and by its simulated providers."""

    def __init__(self, places: Places) -> None:
        self.demo = read_env(places.demo_env)
        self.url = self.demo["RECADO_URL"]
        # Who talks with it; in each run somebody else.
        self.person = f"551198{int(time.time()) % 10**7:07d}"

    def api(self, method: str, path: str, body: Any = None) -> Any:
        return _ask(method, self.url + path, body, {"Authorization": f"Api-Key {self.demo['RECADO_API_KEY']}"})

    def control(self, method: str, path: str, body: Any = None) -> Any:
        return _ask(method, f"{self.demo['RECADO_SIMULATORS']}/control/{path}", body, {})

    def write(self, connector: str, to: str, said: dict[str, Any]) -> None:
        account = self.demo[f"RECADO_ACCOUNT_{connector.upper()}"]
        self.api("POST", "/v1/messages", {"account_id": account, "to": to, **said})

    def list(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api("GET", path)["data"]
        return found


@contextmanager
def trouble(bakery: Bakery) -> Iterator[None]:
    """The failures stay, as they would; whatever goes on failing ends."""
    kept = [
        {name: value for name, value in each.items() if name not in {"struck", "over"}}
        for each in bakery.control("GET", "faults")
        if not each["over"]
    ]
    blocked = [
        {"kind": "blocked", "provider": provider, "to": to}
        for provider, _, count in UNREACHABLE
        for to in _people(provider, count)
    ]
    passing = {"kind": "server_error", "provider": "whatsapp", "to": bakery.person, "times": 2}
    # The people of the demo write there, and are answered all the time.
    revoked = {"kind": "invalid_token", "provider": "instagram"}
    bakery.control("PUT", "faults", [*kept, *blocked, passing, revoked])
    try:
        for provider, connector, count in UNREACHABLE:
            for n, to in enumerate(_people(provider, count)):
                bakery.write(connector, f"+{to.removeprefix('+')}", {"template": _ready(n)})
        _talk(bakery)
        _wait(lambda: _is_troubled(bakery.api("GET", "/v1/overview"), len(blocked)))
        yield
    finally:
        bakery.control("PUT", "faults", kept)
        bakery.api("POST", f"/v1/channel-accounts/{bakery.demo['RECADO_ACCOUNT_INSTAGRAM']}/resume")


def _people(provider: str, count: int) -> list[str]:
    """As the provider writes their numbers."""
    plus = "" if provider == "whatsapp" else "+"
    return [f"{plus}55119833300{n:02d}" for n in range(count)]


def _ready(order: int) -> dict[str, Any]:
    return {"name": "order_ready", "variables": {"name": "Ana", "order": str(1042 + order)}}


def _is_troubled(overview: Any, letters: int) -> bool:
    """As the overview's last look has it, which is every few seconds."""
    is_paused = any(account["paused_because"] for account in overview["accounts"])
    return is_paused and sum(overview["dead_letters"].values()) >= letters


def _talk(bakery: Bakery) -> None:
    said = {"provider": "whatsapp", "account": "100200300400500", "from": bakery.person, "name": "Marina Teles"}
    for who, text in TALK:
        if who:
            bakery.write("whatsapp_cloud", f"+{bakery.person}", {"text": text})
        else:
            bakery.control("POST", "say", said | {"text": text})
        _wait(lambda text=text: text in _said(bakery))  # type: ignore[misc]


def _said(bakery: Bakery) -> list[str]:
    """Of the one who is talked with, what arrived."""
    return [
        message["text"]
        for talk in _talks(bakery)
        for message in _messages(bakery, talk)
        if message["status"] in {"received", "delivered", "read"}
    ]


def _messages(bakery: Bakery, talk: dict[str, Any]) -> list[dict[str, Any]]:
    return bakery.list(f"/v1/messages?conversation_id={talk['id']}&limit=50")


def _talks(bakery: Bakery) -> list[dict[str, Any]]:
    account = bakery.demo["RECADO_ACCOUNT_WHATSAPP_CLOUD"]
    return bakery.list(f"/v1/conversations?address=%2B{bakery.person}&account_id={account}&limit=1")


def take(bakery: Bakery, browser: Browser) -> None:
    FOLDER.mkdir(exist_ok=True)
    state = _log_in(bakery, browser)
    for theme in THEMES:
        # Of this width, unfold still folds its side bar away.
        size: ViewportSize = {"width": WIDTH + 1, "height": HEIGHT}
        room = browser.new_context(viewport=size, locale="en-GB", storage_state=state, color_scheme=theme)
        _photograph(bakery, room, theme)
        room.close()


def _photograph(bakery: Bakery, room: BrowserContext, theme: str) -> None:
    page = room.new_page()
    (talk,) = _talks(bakery)
    answers = (each for each in _messages(bakery, talk) if each["text"] == TALK[1][1])
    for name, address in {
        "overview": "/admin/",
        "message": f"/admin/messaging/message/{next(answers)['id']}/change/",
        "dead-letters": "/admin/messaging/deadletter/",
        "inbox": f"/admin/messaging/conversation/{talk['id']}/change/",
    }.items():
        page.goto(bakery.url + address)
        page.wait_for_load_state("networkidle")
        _shoot(page, FOLDER / f"{name}-{theme}.png")


def _shoot(page: Page, path: Path) -> None:
    page.screenshot(path=path, clip={"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT})
    say(f"  {path.relative_to(ROOT)}  {path.stat().st_size // 1024} kB")


def _log_in(bakery: Bakery, browser: Browser) -> Any:
    page = browser.new_page()
    page.goto(f"{bakery.url}/accounts/login/?next=/admin/")
    page.fill("[name=login]", bakery.demo["RECADO_EMAIL"])
    page.fill("[name=password]", bakery.demo["RECADO_PASSWORD"])
    page.press("[name=password]", "Enter")
    page.wait_for_selector("#overview")
    state = page.context.storage_state()
    page.context.close()
    return state


def _wait(is_so: Callable[[], bool], seconds: float = TROUBLE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise SystemExit("  What the pictures show never came to be; the demo's logs may say why.")
        time.sleep(0.5)


def _ask(method: str, url: str, body: Any, headers: dict[str, str]) -> Any:
    request = urllib.request.Request(  # noqa: S310 - our own loopback address
        url,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **headers},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.load(answer)


@contextmanager
def demo(places: Places) -> Iterator[None]:
    """The one that runs over these places; else one that ends with this."""
    if answers(f"{places.web_url}/readyz"):
        yield
        return
    log = places.logs / "demo.log"
    process = Process("The demo", [sys.executable, "-m", "local.demo"], log, env=os.environ, stop_seconds=30)
    process.start()
    try:
        process.wait_until(lambda: process.has_written("Ready in"), READY_SECONDS)
        yield
    finally:
        process.stop()


def main() -> None:
    places = Places.from_environment()
    with demo(places), sync_playwright() as playwright:
        bakery = Bakery(places)
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        with trouble(bakery):
            take(bakery, browser)
        browser.close()


if __name__ == "__main__":
    main()

"""The demo's drawer: somebody writes as a person would, over a real simulator and our own webhooks."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from apps.messaging.models import Message
from local.ports import HOST, answers, free_port
from local.processes import Process
from tests.cast import House
from tests.live.conftest import Enter
from tests.live.test_accessibility import BROKEN, NAMELESS
from tests.messaging.callbacks import work_on_callbacks
from tests.messaging.desk import CREDENTIALS, open_account
from tests.messaging.provider import APP_SECRET
from tests.server import Server, run_server

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def demo(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Server, str]]:
    """A web process and simulators that know of each other. Asked for before `enter`, they outlive its pages."""
    simulators = f"http://{HOST}:{free_port()}"
    monkeypatch.setenv("SIMULATORS_URL", simulators)
    with run_server(tmp_path) as web:
        command = [
            *(sys.executable, "-m", "apps.channels.simulators", "--port", simulators.rpartition(":")[2]),
            *("--callback-url", f"{web.url}/v1/hooks", "--app-secret", APP_SECRET),
        ]
        process = Process("simulators", command, tmp_path / "simulators.log")
        process.start()
        try:
            process.wait_until(lambda: answers(f"{simulators}/control/healthz"))
            yield web, simulators
        finally:
            process.stop()


def test_simulated_person_writes_to_an_account_of_each_kind(
    demo: tuple[Server, str], enter: Enter, aurora: House, publish: Callable[[], None]
) -> None:
    web, simulators = demo
    whatsapp, telegram = (open_account(aurora, name) for name in ("whatsapp_cloud", "telegram"))
    open_account(aurora, "email")
    bot = CREDENTIALS["telegram"]
    httpx.post(
        f"{simulators}/telegram/bot{bot['bot_token']}/setWebhook",
        json={"url": f"{web.url}/v1/hooks/telegram/{telegram.id}", "secret_token": bot["secret_token"]},
        trust_env=False,
    ).raise_for_status()
    visit = enter(aurora.owner)
    visit.page.goto(f"{web.url}/live/")
    visit.is_connected()
    visit.page.click("#simulate-open")
    visit.until(
        "document.querySelectorAll('#person-account option').length === 2"
    )  # nobody answers an e-mail here
    assert visit.page.evaluate(NAMELESS) == []
    assert visit.page.evaluate(BROKEN) == {"twice": [], "lost": []}
    for account, address in ((whatsapp, "+5511981000777"), (telegram, "17840000000777")):
        visit.page.select_option("#person-account", str(account.id))
        assert visit.page.input_value("#person-from") == address
        visit.page.fill("#person-text", f"To {account.connector}")
        visit.page.click("#person-send")
        visit.see("#person-said", text="on its way")
        assert work_on_callbacks() == 1
        publish()
        visit.see(".conversation .last-said", text=f"To {account.connector}")
        message = Message.across_organizations.latest("id")
        assert (message.direction, message.account_id, message.conversation.address) == (
            "inbound",
            account.id,
            address,
        )
        assert message.conversation.contact.name == "Simulated person 0777"
        visit.page.evaluate("document.getElementById('person-said').textContent = ''")

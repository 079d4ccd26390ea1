"""Who gets the live page, and what the page may do."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import get_template
from django.test import Client
from pytest_django import Settings

from apps.accounts.models import User
from apps.accounts.roles import Role
from apps.channels.simulators.faults import Kind
from apps.live.faults import faults
from apps.live.texts import texts
from apps.live.views import STYLES
from apps.messaging.statuses import Status
from tests.cast import House, add_member

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPTS = ROOT / "apps" / "live" / "static" / "live"


@pytest.fixture(autouse=True)
def _without_second_factor(settings: Settings) -> None:
    settings.ADMIN_REQUIRES_MFA = False


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(house: House, role: str = "owner", **headers: str) -> Any:
    return browser_of(getattr(house, role).user).get("/live/", headers=headers)


def config_in(answer: Any) -> dict[str, Any]:
    found = re.search(
        r'<script id="live-config" type="application/json">(.*?)</script>', answer.content.decode(), re.DOTALL
    )
    assert found
    config: dict[str, Any] = json.loads(found[1])
    return config


def test_strangers_log_in_first_and_come_back(aurora: House) -> None:
    answer = Client().get("/live/")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=/live/")


def test_every_member_gets_the_page(aurora: House) -> None:
    for role in Role:
        answer = page(aurora, role.value)
        assert answer.status_code == 200
        assert "no-store" in answer["Cache-Control"]


def test_person_without_organization_is_told_what_to_do(aurora: House) -> None:
    user = User.objects.create_user("nova@aurora.example")
    answer = browser_of(user).get("/live/")
    assert answer.status_code == 403
    assert "nova@aurora.example" in answer.content.decode()
    operator = User.objects.create_superuser("ops@recado.example")
    answer = browser_of(operator).get("/live/")
    assert "/admin/accounts/membership/" in answer.content.decode()
    add_member(aurora.organization, operator.email, Role.AGENT)
    assert browser_of(operator).get("/live/").status_code == 200


def test_where_the_admin_asks_for_a_second_factor_this_page_does_too(aurora: House, settings: Settings) -> None:
    settings.ADMIN_REQUIRES_MFA = True
    answer = page(aurora)
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/2fa/totp/activate/")


def test_page_may_run_its_own_scripts_only_and_talk_to_its_own_server_only(aurora: House) -> None:
    answer = page(aurora)
    policy = dict(
        directive.strip().split(" ", 1) for directive in answer["Content-Security-Policy"].split(";") if directive
    )
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["default-src"] == "'none'"
    text = answer.content.decode()
    assert "https://" not in text
    assert not re.search(r"\son\w+=|\sstyle=|javascript:", text)


def test_page_brings_files_to_the_storage_and_shows_them_from_there(aurora: House, settings: Settings) -> None:
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    storage = "https://files.recado.example"
    changed = {name: [*directives[name], storage] for name in ("connect-src", "img-src")}
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": {**directives, **changed}}
    policy = page(aurora)["Content-Security-Policy"]
    for name in ("connect-src", "img-src", "media-src"):
        (sources,) = re.findall(rf"{name} ([^;]*)", policy)
        assert storage in sources.split()


def test_simulation_is_offered_in_the_demo_only(aurora: House, settings: Settings) -> None:
    assert 'id="simulate"' not in page(aurora).content.decode()
    settings.SIMULATORS_URL = "http://127.0.0.1:8090/"
    answer = page(aurora)
    assert 'id="simulate"' in answer.content.decode()
    assert "connect-src 'self' http://127.0.0.1:8090;" in answer["Content-Security-Policy"] + ";"
    assert config_in(answer)["urls"]["simulators"] == "http://127.0.0.1:8090"


def test_every_fault_of_the_simulators_is_offered(aurora: House) -> None:
    assert sorted(kind for kind, _name, _meaning in faults()) == sorted(Kind)


def test_page_speaks_the_language_of_its_reader(aurora: House) -> None:
    answer = page(aurora, "owner", **{"Accept-Language": "pt-BR"})
    assert '<html lang="pt-br">' in answer.content.decode()
    config = config_in(answer)
    assert config["language"] == "pt-br"
    assert config["statuses"]["delivered"] == "entregue"


def test_page_knows_the_one_table_of_statuses(aurora: House) -> None:
    config = config_in(page(aurora))
    assert set(config["may_follow"]) == set(config["statuses"]) == set(Status.values)
    assert config["may_follow"]["queued"] == ["failed"]
    assert config["connectors"]["whatsapp_cloud"]["label"] == "WhatsApp"


def test_scripts_have_every_text_and_no_text_is_left_over() -> None:
    code = "\n".join(path.read_text() for path in SCRIPTS.glob("*.js"))
    known = texts()
    words = set(re.findall(r'"([a-z][a-z0-9_]+)"', code))
    prefixes = set(re.findall(r"`([a-z]+_)\$\{", code))
    asked = set(re.findall(r'\bsay\("(\w+)"', code))
    asked |= {f"{name}_{form}" for name in re.findall(r'\bsayCount\("(\w+)"', code) for form in ("one", "other")}
    assert sorted(asked - set(known)) == []
    unused = [
        name
        for name in known
        if name not in words | asked and not any(name.startswith(prefix) for prefix in prefixes)
    ]
    assert unused == []


def test_page_holds_every_element_that_its_scripts_ask_for() -> None:
    code = "\n".join(path.read_text() for path in SCRIPTS.glob("*.js"))
    folder = ROOT / "apps" / "live" / "templates" / "live"
    markup = "\n".join(path.read_text() for path in folder.glob("*.html"))
    there = re.findall(r'\bid="([\w-]+)"', markup)
    assert sorted(set(re.findall(r'byId\("([\w-]+)"', code)) - set(there)) == []
    icons = set(re.findall(r'\bid="icon-([\w-]+)"', markup))
    assert sorted(set(re.findall(r'href="#icon-([\w-]+)"', markup)) - icons) == []
    assert sorted(set(re.findall(r'\bicon\("([\w-]+)"', code)) - icons) == []


def test_styles_and_scripts_exist() -> None:
    assert [name for name in STYLES if not (SCRIPTS.parent / name).exists()] == []
    imported = {
        name for path in SCRIPTS.glob("*.js") for name in re.findall(r'from "\./([\w.]+)"', path.read_text())
    }
    assert sorted(name for name in imported if not (SCRIPTS / name).exists()) == []
    get_template("live/page.html")

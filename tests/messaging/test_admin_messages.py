"""The list of messages, narrowed; and the story of one."""

import re
from uuid import UUID

import orjson
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apps.accounts.admin.long_tables import newest, pages
from apps.accounts.models import User
from apps.channels.errors import Heard, Transient
from apps.core.ids import first_id_of, moment_of
from apps.messaging.admin.message import MessageAdmin
from apps.messaging.engine import accept
from apps.messaging.engine.claim import claim
from apps.messaging.engine.new_message import NewMessage, WantedTemplate
from apps.messaging.engine.outcome import Outcome, Result
from apps.messaging.engine.record import record
from apps.messaging.models import Message, MessageEvent
from tests.cast import PASSWORD, House
from tests.messaging import history
from tests.messaging.operators import browser, list_of, rows, text
from tests.messaging.templates import GIVEN, published

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_second_factor(settings: Settings) -> None:
    settings.ADMIN_REQUIRES_MFA = False


@pytest.fixture
def client(aurora: House) -> Client:
    return browser(aurora.agent.user)


@pytest.fixture
def root(db: None) -> Client:
    return browser(User.objects.create_superuser("root@recado.example", PASSWORD))


def test_failures_are_found_by_kind_and_code(
    client: Client, root: Client, aurora: House, boreal: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = history.dead(aurora, code="131041")
    second = history.dead(aurora, code="131042", to="+5511912345613")
    theirs = history.dead(boreal, code="131041")
    history.sent(aurora)
    # However long ago: these two have indexes of their own.
    monkeypatch.setattr(newest, "MOST_LOOKED_AT", 1)
    assert rows(client, "message", "error=message_rejected") == [str(second.pk), str(first.pk)]
    assert rows(client, "message", "code=131041") == [str(first.pk)]
    assert rows(client, "message", "code=131041&error=transient") == []
    assert rows(client, "message", "code=13104") == []
    whose = f"organization={boreal.organization.pk}"
    assert rows(root, "message", f"code=131041&{whose}") == [str(theirs.pk)]
    assert client.get(f"{list_of('message')}?{whose}").status_code == 400


def test_messages_are_found_by_channel_and_by_template(client: Client, aurora: House) -> None:
    plain = history.queued(aurora)
    other = history.queued(aurora, to="ana@exemplo.com", connector="email")
    template = published(aurora).template
    wanted = NewMessage(account_id=plain.account_id, to=history.ANA, template=WantedTemplate(template.name, GIVEN))
    (answer,) = accept.accept(aurora.organization, [wanted])
    assert rows(client, "message", "channel=email") == [str(other.pk)]
    assert rows(client, "message", f"template={template.pk}") == [str(answer.id)]  # type: ignore[union-attr]
    assert rows(client, "message", f"template={template.pk}&channel=email") == []


def test_time_is_a_range_and_leads_further_back(
    client: Client, aurora: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [history.queued(aurora, to=f"+55119123456{number:02d}") for number in range(5)]
    middle = moment_of(made[2].pk)
    since = f"{middle:%Y-%m-%dT%H:%M:%S.%f}"
    later = [str(each.pk) for each in reversed(made) if each.pk >= first_id_of(middle)]
    assert rows(client, "message", f"since={since}") == later
    assert set(rows(client, "message", f"until={since}")) == {str(each.pk) for each in made} - set(later)
    monkeypatch.setattr(newest, "MOST_LOOKED_AT", 2)
    query, seen = f"account={made[0].account_id}", set()
    for _ in range(6):
        page = client.get(f"{list_of('message')}?{query}")
        seen |= {str(row.pk) for row in page.context["cl"].result_list}
        if "further_back" not in page.context:
            break
        assert "Look further back" in text(page)
        query = page.context["further_back"].lstrip("?")
    assert seen == {str(each.pk) for each in made}


@pytest.mark.parametrize("status", ["queued", "failed"])
def test_what_waits_or_failed_is_looked_up_among_so_many_of_the_newest(
    client: Client, root: Client, aurora: House, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    people = [f"+55119123456{number:02d}" for number in range(3)]
    if status == "queued":
        made = [str(history.queued(aurora, to=each).pk) for each in people]
    else:
        made = [str(history.dead(aurora, to=each).pk) for each in people]
    monkeypatch.setattr(newest, "MOST_LOOKED_AT", 1)
    for who in (client, root):
        page = who.get(f"{list_of('message')}?status={status}")
        assert [str(row.pk) for row in page.context["cl"].result_list] == made[:1:-1]
        assert "Look further back" in text(page)
    until = f"until={moment_of(UUID(made[2])):%Y-%m-%dT%H:%M:%S.%f}"
    assert rows(client, "message", f"status={status}&{until}") == made[1:2]
    with CaptureQueriesContext(connection) as queries:
        client.get(f"{list_of('message')}?status={status}")
    # Where PostgreSQL was left the choice, it walked through millions of messages to meet a few.
    assert [each["sql"] for each in queries if '"message"."id" = ANY(ARRAY(SELECT' in each["sql"]]


def test_a_filter_that_no_index_knows_sifts_once(
    client: Client, aurora: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [str(history.queued(aurora, to=f"+55119123456{number:02d}").pk) for number in range(4)]
    account = Message.across_organizations.filter(pk=made[0]).values_list("account", flat=True).get()
    monkeypatch.setattr(MessageAdmin, "list_per_page", 2)
    with CaptureQueriesContext(connection) as queries:
        assert rows(client, "message", f"account={account}&p=2") == made[1::-1]
    asked = [each["sql"] for each in queries if 'FROM "message"' in each["sql"]]
    # Where to stop, what there is, and the rows of the page by their ids.
    assert len([sql for sql in asked if '"message"."account_id" = ' in sql.partition(" WHERE ")[2]]) == 1
    assert len(asked) == 3
    assert not [sql for sql in asked if re.search(r"OFFSET 2\b", sql)]


def test_what_has_no_page_is_further_back(client: Client, aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [history.queued(aurora, to=f"+55119123456{number:02d}") for number in range(9)]
    monkeypatch.setattr(newest, "MOST_LOOKED_AT", 7)
    monkeypatch.setattr(pages, "MOST_COUNTED", 4)
    monkeypatch.setattr(MessageAdmin, "list_per_page", 2)
    for begin in (f"account={made[0].account_id}", ""):
        query, seen = begin, set()
        for _ in range(6):
            first = client.get(f"{list_of('message')}?{query}")
            for number in range(1, first.context["cl"].paginator.num_pages + 1):
                seen |= set(rows(client, "message", f"{query}&p={number}"))
            if "further_back" not in first.context:
                break
            query = first.context["further_back"].lstrip("?")
        assert seen == {str(each.pk) for each in made}


def test_text_is_found_by_how_it_begins(client: Client, aurora: House, boreal: House) -> None:
    said = history.queued(aurora, "Seu pedido 4711 saiu para entrega")
    history.queued(aurora, "O pedido 4711 voltou", to=history.BIA)
    history.queued(boreal, "Seu pedido 4711 saiu para entrega")
    assert rows(client, "message", "q=seu pedido 47") == [str(said.pk)]
    assert rows(client, "message", "q=pedido 4711") == []


def test_story_shows_what_was_asked_and_answered_without_secrets(client: Client, aurora: House) -> None:
    message = history.queued(aurora, "O total é R$ 10 <b>à vista</b>")
    failure = Transient("503", "The provider failed.")
    failure.heard = Heard.of(503, b'{"error": "down\x00 <script>"}')
    claimed = claim(message.account, 10)
    (delivery,) = claimed.deliveries
    outcome = Outcome(
        message.pk, delivery.conversation_id, claimed.lease, Result.RETRYING, 2.0, error=failure, milliseconds=212
    )
    record([outcome])
    page = text(client.get(f"{list_of('message')}{message.pk}/change/"))
    assert "attempt 1: 503 in 212 ms; the provider failed; 503: The provider failed; goes on in 2.0 s" in page
    assert "{&quot;error&quot;: &quot;down &lt;script&gt;&quot;}" in page
    assert "Authorization: Bearer [hidden]" in page
    assert "à vista" in page
    for secret in ("EAAG-whatsapp-token", "whatsapp-app-secret", "whatsapp-verify-token"):
        assert secret not in page


@pytest.mark.parametrize("connector", ["telegram", "sms", "email", "instagram", "evolution"])
def test_no_channel_shows_its_secrets(client: Client, aurora: House, connector: str) -> None:
    to = {"email": "ana@exemplo.com", "telegram": "123456", "instagram": "123456"}.get(connector, history.ANA)
    message = history.queued(aurora, "Bom dia", to=to, connector=connector)
    page = text(client.get(f"{list_of('message')}{message.pk}/change/"))
    assert "What the provider is asked" in page
    assert "Bom dia" in page.split("What the provider is asked")[1]
    assert "of-the-house" not in page


def test_links_of_those_who_run_the_installation(
    client: Client, root: Client, aurora: House, settings: Settings
) -> None:
    settings.JAEGER_URL = "https://jaeger.recado.example"
    message = history.sent(aurora)
    page = f"{list_of('message')}{message.pk}/change/"
    tags = f"%7B%22recado.message_id%22%3A%22{message.pk}%22%7D"
    assert f"https://jaeger.recado.example/search?service=recado&amp;tags={tags}" in text(root.get(page))
    assert "jaeger" not in text(client.get(page))


def test_answers_are_kept_in_part(aurora: House) -> None:
    assert len(Heard.of(500, "ã".encode() * 9_000).body) == 2000
    failure = Transient("500", "x")
    failure.heard = Heard.of(500, b"x" * 9_000)
    letter = history.leave(history.queued(aurora), Result.FAILED, failure)
    event = MessageEvent.across_organizations.get(message=letter, kind="failed")
    assert len(orjson.dumps(event.detail)) < 2500
    assert Message.across_organizations.get(pk=letter.pk).error_detail == "x"

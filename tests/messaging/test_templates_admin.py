"""Templates in the admin: written and published by people who write no JSON."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from apps.accounts.models import AuditEvent, User
from apps.messaging.admin.template_forms import VariablesField
from apps.messaging.models import Template, TemplateText, TemplateVersion
from apps.messaging.wording import versions
from apps.messaging.wording.variables import Variable, declared_by
from tests.cast import PASSWORD, House
from tests.messaging.templates import VARIABLES, in_english, in_portuguese, published, written

pytestmark = pytest.mark.django_db
TYPED = (
    "language", "subject", "body", "media_kind", "media_url", "media_file_name", "buttons", "whatsapp_name",
    "whatsapp_language",
)  # fmt: skip
LIST = "/admin/messaging/template/"


@pytest.fixture(autouse=True)
def _no_second_factor(settings: Settings) -> None:
    settings.ADMIN_REQUIRES_MFA = False


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def client(aurora: House) -> Client:
    return browser(aurora.admin.user)


def page_of(version: TemplateVersion) -> str:
    return reverse("admin:messaging_templateversion_change", args=[version.pk])


def shown(answer: Any) -> str:
    assert answer.status_code == 200, answer
    content: str = answer.content.decode()
    return content


def act(client: Client, kind: str, action: str, pk: Any) -> str:
    url = reverse(f"admin:messaging_{kind}_{action}", args=[pk])
    assert client.get(url).status_code == 200
    return shown(client.post(url, follow=True))


def form_of(
    version: TemplateVersion, *texts: dict[str, str], variables: str = "name: text = Ana"
) -> dict[str, str]:
    """As the page sends it: the stored texts first, then new ones."""
    stored = list(TemplateText.across_organizations.filter(version=version).order_by("pk"))
    data = {
        "variables": variables,
        "texts-TOTAL_FORMS": str(len(texts)),
        "texts-INITIAL_FORMS": str(len(stored)),
        "texts-MIN_NUM_FORMS": "0",
        "texts-MAX_NUM_FORMS": "1000",
    }
    for n, text in enumerate(texts):
        own = {"id": str(stored[n].pk) if n < len(stored) else "", "version": str(version.pk)}
        typed = dict.fromkeys(TYPED, "") | {"whatsapp_components": "[]"} | own | text
        data |= {f"texts-{n}-{name}": value for name, value in typed.items()}
    return data


def test_template_is_made_written_and_published(client: Client, aurora: House) -> None:
    made = client.post(
        f"{LIST}add/", {"name": "welcome", "category": "transactional", "description": "First words"}
    )
    draft = TemplateVersion.across_organizations.select_related("template").get()
    assert made["Location"] == page_of(draft)
    assert "name: type = sample" not in shown(client.get(page_of(draft)))
    text = {
        "language": "pt-br", "body": "Olá {{ name }}! {% if vip %}Bem-vinda.{% endif %}", "subject": "Oi",
        "media_kind": "image", "media_url": "https://aurora.example/{{ name }}.png",
        "buttons": "yes = Sim\n\nno = Não",
        "whatsapp_name": "oi", "whatsapp_components": '[{"type": "body", "parameters": []}]',
    }  # fmt: skip
    variables = (
        "name: text = Ana\r\nvip?: boolean = true\r\ncount: number = 7\r\nlink: url = https://a.example/?a=b"
    )
    answer = client.post(page_of(draft), form_of(draft, text, variables=variables))
    assert answer.status_code == 302, answer.context["errors"]
    stored = TemplateText.across_organizations.get()
    assert (stored.language, stored.body, stored.whatsapp_name) == ("pt-BR", text["body"], "oi")
    assert stored.content == {
        "media": {
            "kind": "image",
            "url": "https://aurora.example/{{ name }}.png",
            "file_name": "",
            "media_type": "",
        },
        "buttons": [{"id": "yes", "title": "Sim"}, {"id": "no", "title": "Não"}],
    }
    draft.refresh_from_db()
    assert [(each.name, each.sample, each.is_required) for each in declared_by(draft)] == [
        ("name", "Ana", True), ("vip", True, False), ("count", 7, True), ("link", "https://a.example/?a=b", True),
    ]  # fmt: skip
    page = shown(client.get(page_of(draft)))
    assert "vip?: boolean = true" in page
    assert "yes = Sim" in page
    assert "Olá Ana! Bem-vinda." in shown(
        client.get(reverse("admin:messaging_templateversion_preview_version", args=[draft.pk]))
    )

    act(client, "templateversion", "publish_version", draft.pk)
    assert Template.across_organizations.get().published_id == draft.pk
    trail = AuditEvent.objects.for_organization(aurora.organization).filter(target_kind="template")
    assert {event.actor_label for event in trail} == {"admin@aurora.example"}
    assert trail.count() == 4


def test_texts_are_changed_added_and_taken_away(client: Client, aurora: House) -> None:
    draft = written(aurora, in_english(subject="", body="Hi"), in_portuguese(subject="", body="Oi"))
    first = {"language": "en", "body": "Hello"}
    gone = {"language": "pt-BR", "body": "Oi", "DELETE": "on"}
    answer = client.post(page_of(draft), form_of(draft, first, gone, {"language": "es", "body": "Hola"}))
    assert answer.status_code == 302, answer.context["errors"]
    texts = TemplateText.across_organizations.order_by("pk")
    assert list(texts.values_list("language", "body")) == [("en", "Hello"), ("es", "Hola")]


@pytest.mark.parametrize(
    ("text", "variables", "expected"),
    [
        ({"body": "{{ nobody }}"}, "name: text = Ana", "There is no variable nobody"),
        ({"body": "x", "language": "xx"}, "", "A language is needed"),
        ({"body": "x", "buttons": "pay"}, "", "“pay” is no button"),
        ({"body": "x", "media_kind": "image", "media_url": "http://a.example"}, "", "the URL is not https"),
        ({"body": "x", "media_url": "https://a.example/x"}, "", "This must be one of"),
        ({"body": "x", "whatsapp_components": "[{}]", "whatsapp_name": "x"}, "", "An object is needed"),
        ({"body": "x", "whatsapp_components": "{"}, "", "Enter a valid JSON"),
        ({"body": "x", "whatsapp_language": "en"}, "", "name at WhatsApp"),
        ({"body": "x"}, "name text", "is no variable. Write name: type = sample"),
        ({"body": "x"}, "name: word = x", "is no variable. Write name: type = sample"),
        ({"body": "x"}, "due: date = tomorrow", "due: A date is needed"),
        ({"body": "x"}, "self: text = x", "self: This name means something else already"),
        ({"body": "x"}, "a: text = x\na: text = y", "a: Each variable has a name of its own"),
    ],
    ids=range(13),
)
def test_what_cannot_be_said_is_told_on_the_page(
    client: Client, aurora: House, text: dict[str, str], variables: str, expected: str
) -> None:
    draft = versions.create(aurora.principal(), name="empty")
    answer = client.post(page_of(draft), form_of(draft, {"language": "en"} | text, variables=variables))
    assert expected in shown(answer).replace("&#x27;", "'")
    assert not TemplateText.across_organizations.exists()


def test_published_version_is_read_only(client: Client, aurora: House) -> None:
    version = published(
        aurora, in_english(whatsapp_name="bill", body="<b>{{ name }}</b> {{ total }} {{ due_on }} {{ note }}")
    )
    page = shown(client.get(page_of(version)))
    assert "&lt;b&gt;Ana&lt;/b&gt; R$149.90 Mar 1, 2026 Obrigado!" in page
    assert "as its template bill" in page
    assert 'name="variables"' not in page
    assert client.post(page_of(version), form_of(version)).status_code == 403
    page = act(client, "template", "new_version", version.template_id)
    draft = TemplateVersion.across_organizations.get(number=2)
    assert declared_by(draft) == list(VARIABLES)
    assert 'name="variables"' in page
    page = shown(client.get(f"{LIST}{version.template_id}/change/"))
    assert page_of(draft) in page
    assert page_of(version) in page


def test_template_is_archived_and_used_again(client: Client, aurora: House) -> None:
    template = published(aurora).template
    act(client, "template", "archive_template", template.pk)
    assert template.name not in shown(client.get(f"{LIST}?archived=no"))
    assert template.name in shown(client.get(f"{LIST}?archived=yes"))
    act(client, "template", "restore_template", template.pk)
    template.refresh_from_db()
    assert template.archived_at is None
    client.post(f"{LIST}{template.pk}/change/", {"category": "billing", "description": "x"})
    template.refresh_from_db()
    assert (template.category, template.name) == ("billing", "bill_due")
    refused = shown(client.post(f"{LIST}{template.pk}/change/", {"category": "service", "description": ""}))
    assert "Small letters, digits and underscores" in refused
    taken = shown(client.post(f"{LIST}add/", {"name": "bill_due", "category": "billing", "description": ""}))
    assert "Another template has this name." in taken
    empty = versions.create(aurora.principal(), name="empty")
    assert "has no text yet" in act(client, "templateversion", "publish_version", empty.pk)


def test_pages_show_ones_own_and_nobody_elses(client: Client, aurora: House, boreal: House) -> None:
    own, theirs = written(aurora), written(boreal, name="theirs")
    assert "theirs" not in shown(client.get(LIST))
    agent = browser(aurora.agent.user)
    for url in (f"{LIST}{theirs.template_id}/change/", page_of(theirs)):
        assert client.get(url).status_code == 302
    for kind, action, pk in (
        ("templateversion", "preview_version", theirs.pk),
        ("templateversion", "publish_version", theirs.pk),
        ("template", "archive_template", theirs.template_id),
    ):
        assert client.post(reverse(f"admin:messaging_{kind}_{action}", args=[pk])).status_code == 404
    assert "Hello Ana" in shown(agent.get(page_of(own)))
    assert agent.post(page_of(own), form_of(own)).status_code == 403
    assert agent.post(reverse("admin:messaging_templateversion_publish_version", args=[own.pk])).status_code == 403
    root = browser(User.objects.create_superuser("root@recado.example", PASSWORD))
    assert "theirs" in shown(root.get(LIST))
    shown(root.get(page_of(theirs)))


def test_variable_lines_are_read_as_they_are_written() -> None:
    field = VariablesField(required=False)
    documents = [variable.as_document() for variable in VARIABLES]
    assert field.clean(field.prepare_value(documents)) == documents
    assert Variable.from_document(documents[3]) == VARIABLES[3]

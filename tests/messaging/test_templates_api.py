"""Templates over the API: write, preview, publish, send."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.roles import Scope
from apps.channels.registry import NAMES
from apps.messaging.models import Template
from tests.cast import Api, House, add_channel_account, as_member, with_key
from tests.messaging.desk import ANA
from tests.messaging.templates import GIVEN, published, written

pytestmark = pytest.mark.django_db

BODY: dict[str, Any] = {
    "name": "bill_due",
    "category": "billing",
    "description": "Three days before",
    "variables": [
        {"name": "name", "type": "text", "sample": "Ana"},
        {"name": "total", "type": "money", "sample": "149.90 BRL", "is_required": False},
    ],
    "texts": [
        {
            "language": "pt-br",
            "subject": "Sua conta",
            "body": "Olá {{ name }}, são {{ total }}.",
            "media": {"kind": "document", "url": "https://aurora.example/conta.pdf"},
            "buttons": [{"id": "pay", "title": "Pagar"}],
            "whatsapp": {"name": "conta"},
        },
        {"language": "en", "body": "Hello {{ name }}."},
    ],
}


def create(api: Api, **values: Any) -> Any:
    return api.post("/v1/templates", BODY | values)


def errors(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 400, answer.content
    return [(each["pointer"], each["code"]) for each in answer.json()["errors"]]


def test_template_is_written_published_and_sent(owner: Api, aurora: House) -> None:
    answer = create(owner)
    assert answer.status_code == 201, answer.content
    template = answer.json()
    assert (
        template | {"name": "bill_due", "category": "billing", "published_version": None, "archived_at": None}
        == template
    )
    path = f"/v1/templates/{template['id']}"
    (draft,) = owner.get(f"{path}/versions").json()["data"]
    assert draft["variables"][0] == {"name": "name", "type": "text", "sample": "Ana", "is_required": True}
    assert draft["texts"][0] == {
        "language": "pt-BR",
        "subject": "Sua conta",
        "body": "Olá {{ name }}, são {{ total }}.",
        "media": {
            "kind": "document",
            "url": "https://aurora.example/conta.pdf",
            "file_name": "",
            "media_type": "",
        },
        "buttons": [{"id": "pay", "title": "Pagar"}],
        "whatsapp": {"name": "conta", "language": "", "components": []},
    }
    message = {
        "account_id": str(add_channel_account(aurora).id),
        "to": ANA,
        "template": {"name": "bill_due", "variables": {"name": "Bia", "total": "10.00 BRL"}},
    }
    refused = owner.post("/v1/messages", message)
    assert errors(refused) == [("/template/name", "not_published")]
    shown = owner.post(f"{path}/versions/1/publish")
    assert (shown.status_code, shown.json()["published_at"] is not None) == (200, True)
    assert owner.get(path).json()["published_version"] == 1
    sent = owner.post("/v1/messages", message).json()
    assert sent | {"text": "Olá Bia, são R$ 10,00.", "category": "billing"} == sent
    assert sent["content"]["template"]["name"] == "conta"
    missing = owner.post("/v1/messages", message | {"template": {"name": "bill_due"}})
    assert errors(missing) == [("/template/variables/name", "missing_variable")]


def test_draft_is_changed_and_a_published_version_is_copied(owner: Api, aurora: House) -> None:
    path = f"/v1/templates/{create(owner).json()['id']}/versions"
    changed = owner.patch(f"{path}/1", {"texts": BODY["texts"][1:]})
    assert [text["language"] for text in changed.json()["texts"]] == ["en"]
    assert len(changed.json()["variables"]) == 2
    owner.post(f"{path}/1/publish")
    again = owner.patch(f"{path}/1", {"texts": []})
    assert (again.status_code, again.json()["code"]) == (409, "published")
    copy = owner.post(path, {"copy_of": 1, "variables": BODY["variables"][:1]})
    assert copy.status_code == 201
    assert (copy.json()["number"], copy.json()["published_at"], len(copy.json()["variables"])) == (2, None, 1)
    assert copy.json()["texts"] == changed.json()["texts"]
    empty = owner.post(path, {}).json()
    assert (empty["number"], empty["texts"], empty["variables"]) == (3, [], [])
    nothing = owner.post(f"{path}/3/publish")
    assert (nothing.status_code, nothing.json()["code"]) == (409, "says_nothing")
    assert [each["number"] for each in owner.get(path).json()["data"]] == [3, 2, 1]
    assert errors(owner.post(path, {"copy_of": 9})) == [("/copy_of", "unknown_version")]
    assert owner.get(f"{path}/9").status_code == 404


def test_what_is_wrong_is_said_where_it_is(owner: Api) -> None:
    assert errors(create(owner, texts=[{"language": "en", "body": "Hi\n{{ nam }}"}])) == [
        ("/texts/0/body", "not_allowed")
    ]
    answer = create(owner, texts=[{"language": "en", "body": "{% for x in y %}{% endfor %}"}]).json()
    assert answer["errors"][0]["detail"].startswith("Line 1: Allowed are texts, {{ variable }}")
    assert errors(create(owner, category="service")) == [("/category", "invalid")]
    assert errors(create(owner, name="no spaces")) == [("/name", "invalid")]
    variables = [
        {"name": "total", "type": "money", "sample": 7},
        {"name": "x", "type": "text", "sample": {"a": []}},
    ]
    assert errors(create(owner, variables=variables, texts=[])) == [
        ("/variables/0/sample", "invalid"),
        ("/variables/1/sample", "invalid"),
    ]
    assert errors(create(owner, colour="red")) == [("/colour", "unknown_field")]
    assert not Template.across_organizations.exists()


def test_name_is_unique_and_creating_can_be_repeated(owner: Api) -> None:
    first = owner.post("/v1/templates", BODY, Idempotency_Key="k-1")
    again = owner.post("/v1/templates", BODY, Idempotency_Key="k-1")
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    taken = create(owner)
    assert (taken.status_code, taken.json()["code"]) == (409, "name_taken")


def test_template_is_archived_and_comes_back(owner: Api, aurora: House) -> None:
    template = published(aurora).template
    path = f"/v1/templates/{template.pk}"
    archived = owner.patch(path, {"is_archived": True, "description": "old"}).json()
    assert archived["archived_at"]
    assert archived["description"] == "old"
    assert owner.get("/v1/templates?is_archived=false").json()["data"] == []
    assert len(owner.get("/v1/templates?is_archived=true").json()["data"]) == 1
    assert owner.patch(path, {"is_archived": False}).json()["archived_at"] is None
    assert errors(owner.patch(path, {"name": "other"})) == [("/name", "unknown_field")]


def test_lists_are_narrowed_and_cost_the_same(owner: Api, aurora: House, boreal: House) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert owner.get("/v1/templates").status_code == 200
            assert owner.get(f"/v1/templates/{template.pk}/versions").status_code == 200
        return len(queries)

    template = published(aurora).template
    published(boreal, name="theirs")
    few = cost()
    for n in range(3):
        published(aurora, name=f"more_{n}")
        owner.post(f"/v1/templates/{template.pk}/versions", {"copy_of": 1})
    assert cost() == few
    assert [each["name"] for each in owner.get("/v1/templates").json()["data"]] == [
        "more_2",
        "more_1",
        "more_0",
        "bill_due",
    ]
    assert [each["name"] for each in owner.get("/v1/templates?name=more_1").json()["data"]] == ["more_1"]
    assert owner.get("/v1/templates?nam=x").status_code == 400


def test_preview_shows_every_channel_with_samples(owner: Api) -> None:
    path = f"/v1/templates/{create(owner).json()['id']}/versions/1/preview"
    answer = owner.post(path, {})
    assert answer.status_code == 200, answer.content
    shown = answer.json()
    assert (shown["language"], [each["channel"] for each in shown["channels"]]) == ("pt-BR", list(NAMES))
    channels = {each["channel"]: each for each in shown["channels"]}
    whatsapp = channels["whatsapp_cloud"]
    assert (whatsapp["text"], whatsapp["problem"]) == ("Olá Ana, são R$ 149,90.", None)
    assert whatsapp["content"]["template"]["components"][0]["parameters"][1]["text"] == "R$ 149,90"
    instagram = channels["instagram"]
    assert instagram["content"]["media"]["url"] == "https://aurora.example/conta.pdf"
    assert instagram["problem"]["field"]


def test_preview_takes_variables_language_and_channel(owner: Api) -> None:
    path = f"/v1/templates/{create(owner).json()['id']}/versions/1/preview"
    wanted = {"language": "en", "channel": "instagram", "variables": {"name": "Bia"}}
    (shown,) = owner.post(path, wanted).json()["channels"]
    assert (shown["text"], shown["problem"]) == ("Hello Bia.", None)
    (long,) = owner.post(path, wanted | {"variables": {"name": "ã" * 500}}).json()["channels"]
    assert (long["problem"]["field"], long["problem"]["code"]) == ("text", "too_long")
    assert "1000 bytes" in long["problem"]["detail"]
    (endless,) = owner.post(path, wanted | {"variables": {"name": "x" * 70_000}}).json()["channels"]
    assert (endless["text"], endless["problem"]["code"]) == (None, "not_rendered")
    assert errors(owner.post(path, {"variables": {"total": "free"}})) == [("/variables/total", "invalid")]
    assert errors(owner.post(path, {"channel": "pigeon"})) == [("/channel", "invalid_choice")]


def test_other_organizations_template_does_not_exist(owner: Api, aurora: House, boreal: House) -> None:
    theirs = written(boreal)
    path = f"/v1/templates/{theirs.template_id}"
    calls: list[tuple[str, str, Any]] = [
        ("GET", path, None), ("PATCH", path, {}),
        ("GET", f"{path}/versions", None), ("POST", f"{path}/versions", {}),
        ("GET", f"{path}/versions/1", None), ("PATCH", f"{path}/versions/1", {}),
        ("POST", f"{path}/versions/1/publish", None), ("POST", f"{path}/versions/1/preview", {}),
    ]  # fmt: skip
    for method, address, body in calls:
        assert owner.send(method, address, body).status_code == 404, address
    message = {"account_id": str(add_channel_account(aurora).id), "to": ANA}
    answer = owner.post("/v1/messages", message | {"template": {"name": "bill_due", "variables": GIVEN}})
    assert errors(answer) == [("/template/name", "unknown_template")]


def test_reading_and_writing_are_scopes_of_their_own(aurora: House) -> None:
    template = written(aurora).template
    path = f"/v1/templates/{template.pk}"
    readers = [
        as_member(aurora.viewer),
        as_member(aurora.agent),
        with_key(aurora.organization, Scope.TEMPLATES_READ),
    ]
    for reader in readers:
        assert reader.get(path).status_code == 200
        assert reader.post(f"{path}/versions/1/preview", {}).status_code == 200
        for method, address in (
            ("PATCH", path),
            ("POST", "/v1/templates"),
            ("POST", f"{path}/versions/1/publish"),
        ):
            assert reader.send(method, address, {}).status_code == 403
    assert as_member(aurora.admin).patch(path, {"description": "x"}).status_code == 200
    assert with_key(aurora.organization, Scope.MESSAGES_READ).get(path).status_code == 403

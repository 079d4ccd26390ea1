"""Writing templates: drafts change, what was published stays, what cannot be said is refused when it is saved."""

from typing import Any

import pytest
from rest_framework.exceptions import NotFound, ValidationError

from apps.accounts.models import AuditEvent
from apps.messaging.models import Template, TemplateText, TemplateVersion
from apps.messaging.wording import versions
from apps.messaging.wording.checks import MOST_TEXTS, MOST_VARIABLES
from apps.messaging.wording.variables import Variable, VariableType, declared_by
from tests.cast import House
from tests.messaging.templates import VARIABLES, in_english, in_portuguese, published, written

pytestmark = pytest.mark.django_db


def bodies(version: TemplateVersion) -> list[tuple[str, str]]:
    texts = TemplateText.across_organizations.filter(version=version).order_by("pk")
    return list(texts.values_list("language", "body"))


def mistakes(house: House, *texts: TemplateText, **values: Any) -> dict[str, str]:
    """By pointer, in codes."""
    with pytest.raises(ValidationError) as error:
        written(house, *texts, **values)
    codes: Any = error.value.get_codes()
    return {pointer: first for pointer, (first, *_) in codes.items()}


def test_draft_changes_and_what_was_published_stays(aurora: House) -> None:
    draft = written(aurora)
    assert (draft.number, draft.published_at, draft.template.published) == (1, None, None)
    draft = versions.rewrite(aurora.principal(), draft, texts=[in_portuguese(body="Oi"), in_english()])
    assert bodies(draft)[0] == ("pt-BR", "Oi")
    assert declared_by(draft) == list(VARIABLES)
    with pytest.raises(ValidationError):  # the texts still say {{ total }}
        versions.rewrite(aurora.principal(), draft, variables=VARIABLES[:1])

    version = versions.publish(aurora.principal(), draft)
    assert version.template.published == version
    with pytest.raises(versions.Published):
        versions.rewrite(aurora.principal(), draft, texts=[])
    assert len(bodies(version)) == 2


def test_versions_are_numbered_and_an_older_one_may_be_published_again(aurora: House) -> None:
    first = published(aurora)
    second = versions.draft(
        aurora.principal(), first.template, variables=[], texts=[in_english(subject="", body="B")]
    )
    assert second.number == 2
    assert Template.across_organizations.get().published == first
    versions.publish(aurora.principal(), second)
    published_at = TemplateVersion.across_organizations.get(number=1).published_at
    versions.publish(aurora.principal(), first)
    assert Template.across_organizations.get().published == first
    assert TemplateVersion.across_organizations.get(number=1).published_at == published_at


def test_version_without_a_text_is_not_published(aurora: House) -> None:
    empty = versions.create(aurora.principal(), name="empty")
    with pytest.raises(versions.SaysNothing):
        versions.publish(aurora.principal(), empty)


def test_name_is_taken_once_in_an_organization(aurora: House, boreal: House) -> None:
    written(aurora)
    written(boreal)
    with pytest.raises(versions.NameTaken):
        written(aurora)


def test_somebody_elses_template_cannot_be_changed(aurora: House, boreal: House) -> None:
    theirs = written(boreal)
    for change in (
        lambda: versions.change(aurora.principal(), theirs.template, description="x"),
        lambda: versions.archive(aurora.principal(), theirs.template),
        lambda: versions.draft(aurora.principal(), theirs.template, variables=[], texts=[]),
        lambda: versions.rewrite(aurora.principal(), theirs, texts=[]),
        lambda: versions.publish(aurora.principal(), theirs),
    ):
        with pytest.raises(NotFound):
            change()
    assert len(bodies(theirs)) == 2


def test_every_change_is_in_the_trail(aurora: House) -> None:
    draft = written(aurora)
    versions.rewrite(aurora.principal(), draft, texts=[in_english()])
    template = versions.publish(aurora.principal(), draft).template
    versions.publish(aurora.principal(), draft)  # it is already
    versions.change(aurora.principal(), template, description="For bills", category="billing")
    versions.change(aurora.principal(), template, category="billing")
    versions.archive(aurora.principal(), template)
    versions.restore(aurora.principal(), template)
    trail = AuditEvent.objects.for_organization(aurora.organization).filter(target_kind="template").order_by("id")
    assert [(event.action, event.target_label) for event in trail] == [
        ("template.created", "bill_due"),
        ("template.drafted", "bill_due"),
        ("template.draft_changed", "bill_due"),
        ("template.published", "bill_due"),
        ("template.changed", "bill_due"),
        ("template.archived", "bill_due"),
        ("template.restored", "bill_due"),
    ]
    assert trail[4].changes == {"category": ["transactional", "billing"], "description": ["", "For bills"]}


def of(name: str, **values: Any) -> Variable:
    return Variable(**{"name": name, "type": VariableType.TEXT, "sample": "x"} | values)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ([of("a"), of("a")], {"variables/1/name": "not_unique"}),
        ([of("A")], {"variables/0/name": "invalid"}),
        ([of("_a")], {"variables/0/name": "invalid"}),
        ([of("a" * 41)], {"variables/0/name": "invalid"}),
        ([of("self")], {"variables/0/name": "taken"}),
        ([of("organization")], {"variables/0/name": "taken"}),
        ([of("a", type=VariableType.DATE)], {"variables/0/sample": "invalid"}),
        ([of("a", sample="x" * 501)], {"variables/0/sample": "max_length"}),
        ([of(f"a{n}") for n in range(MOST_VARIABLES + 1)], {"variables": "max_length"}),
    ],
    ids=range(9),
)
def test_variable_that_cannot_be_is_refused(
    aurora: House, variables: list[Variable], expected: dict[str, str]
) -> None:
    assert mistakes(aurora, in_english(subject="", body="Hi"), variables=variables) == expected


def button(button_id: str = "a", title: str = "A") -> dict[str, str]:
    return {"id": button_id, "title": title}


def with_components(*components: dict[str, Any]) -> dict[str, Any]:
    return {"whatsapp_name": "x", "whatsapp_components": list(components)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ({"language": "xx"}, {"language": "invalid"}),
        ({"language": "pt-br"}, {"language": "invalid"}),
        ({"language": ""}, {"language": "invalid"}),
        ({"body": "{{ nobody }}"}, {"body": "not_allowed"}),
        ({"body": "{% for x in y %}", "subject": "{{ x.y }}"}, {"body": "not_allowed", "subject": "not_allowed"}),
        ({"body": "x" * 16_385}, {"body": "not_allowed"}),
        ({"body": "{% if name == 'x' %}y{% endif %}"}, {"body": "blank"}),
        ({"subject": "x" * 256}, {"subject": "too_long"}),
        ({"content": {"media": {"kind": "gif", "url": "https://a.example"}}}, {"media/kind": "invalid_choice"}),
        ({"content": {"media": {"kind": "image", "url": "http://a.example"}}}, {"media/url": "refused_url"}),
        ({"content": {"media": {"kind": "image", "url": "https://10.0.0.1"}}}, {"media/url": "refused_url"}),
        ({"content": {"media": {"kind": "image", "url": "https://a.example/{{"}}}, {"media/url": "not_allowed"}),
        ({"content": {"buttons": [button(), button()]}}, {"buttons/1/id": "not_unique"}),
        ({"content": {"buttons": [button(" ")]}}, {"buttons/0/id": "invalid"}),
        ({"content": {"buttons": [button(title="{{ name }}" * 20)]}}, {"buttons/0/title": "too_long"}),
        ({"content": {"buttons": [button(title="{{ no }}")]}}, {"buttons/0/title": "not_allowed"}),
        ({"whatsapp_name": "Bill Due"}, {"whatsapp/name": "invalid"}),
        ({"whatsapp_language": "en"}, {"whatsapp/name": "required"}),
        ({"whatsapp_name": "x", "whatsapp_language": "pt-BR"}, {"whatsapp/language": "invalid"}),
        (with_components({}), {"whatsapp/components/0": "invalid"}),
        (with_components({"type": "footer"}), {"whatsapp/components/0": "invalid"}),
        (with_components({"type": "body", "parameters": ["x"]}), {"whatsapp/components/0/parameters": "invalid"}),
        (with_components({"type": "body", "parameters": [{"type": "text", "text": "{{"}]}),
         {"whatsapp/components/0/parameters/0/text": "not_allowed"}),
        (with_components({"type": "body", "a": 1.5}), {"whatsapp/components": "invalid"}),
        (with_components({"type": "body", "a": [[[[[[[[1]]]]]]]]}), {"whatsapp/components": "invalid"}),
        (with_components({"type": "body", "a b": 1}), {"whatsapp/components": "invalid"}),
        (with_components({"type": "body", "a": "x" * 16_384}), {"whatsapp/components": "invalid"}),
    ],
    ids=range(27),
)  # fmt: skip
def test_text_that_cannot_be_said_is_refused(
    aurora: House, text: dict[str, Any], expected: dict[str, str]
) -> None:
    found = mistakes(aurora, in_english(), in_portuguese(**text))
    assert found == {f"texts/1/{field}": code for field, code in expected.items()}
    assert not Template.across_organizations.exists()


def test_there_is_one_text_a_language_and_not_too_many(aurora: House) -> None:
    assert mistakes(aurora, in_english(), in_english()) == {"texts/1/language": "not_unique"}
    assert mistakes(aurora, *[in_english()] * (MOST_TEXTS + 1)) == {"texts": "max_length"}

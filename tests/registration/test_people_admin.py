"""People in the admin: found, shown, exported and erased by those who say why, and by nobody else."""

import csv
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from apps.accounts.models import User
from apps.accounts.roles import SCOPES_OF, Role, Scope
from apps.core.ids import new_id
from apps.messaging.models import Contact, ContactAddress
from apps.registration import erasure
from apps.registration.admin import accesses
from apps.registration.applying import apply, tell
from apps.registration.conversation import known
from apps.registration.kinds import Kind
from apps.registration.vault import merging, people, removal
from tests.cast import House
from tests.live.test_views import browser_of
from tests.registration.vault.told import ANA, EMAIL, NAME, TAX_ID, WHY, logged, write

pytestmark = pytest.mark.django_db
CPF = "529.982.247-25"
PHONE = "+55 11 91234-5601"


@pytest.fixture(autouse=True)
def _without_second_factor(settings: Settings) -> None:
    settings.ADMIN_REQUIRES_MFA = False


@pytest.fixture
def client(aurora: House) -> Client:
    return browser_of(aurora.admin.user)


@pytest.fixture
def contact(aurora: House) -> Contact:
    return Contact.across_organizations.create(organization=aurora.organization, name="Ana")


@pytest.fixture
def ana(aurora: House, contact: Contact) -> UUID:
    return write(aurora, contact_id=contact.pk)


def listed(house: House) -> str:
    return reverse("admin:registration_people_of", args=[house.organization.pk])


def page(house: House, person_id: UUID, name: str = "registration_person") -> str:
    return reverse(f"admin:{name}", args=[house.organization.pk, person_id])


def shown(answer: Any) -> str:
    assert answer.status_code == 200, answer
    assert "no-store" in answer["Cache-Control"]
    return " ".join(answer.content.decode().split())


def tells(text: str) -> bool:
    """Of Ana, anything at all."""
    return any(each in text for each in (NAME, EMAIL, PHONE, CPF, TAX_ID))


def test_list_says_who_is_there_and_nothing_of_them(
    client: Client, aurora: House, boreal: House, ana: UUID
) -> None:
    theirs = write(boreal)
    entered = client.get(reverse("admin:registration_people"))
    assert (entered.status_code, entered["Location"]) == (302, listed(aurora))
    text = shown(client.get(listed(aurora)))
    assert page(aurora, ana) in text
    assert ">Ana</a>" in text
    assert not tells(text)
    assert str(theirs) not in text
    assert len(logged()) == 2  # what was written, and no look at it


def test_contact_without_a_name_is_called_by_a_masked_address(
    client: Client, aurora: House, contact: Contact, ana: UUID
) -> None:
    write(aurora, contact_id=Contact.across_organizations.create(organization=aurora.organization).pk)
    Contact.across_organizations.filter(pk=contact.pk).update(name="")
    for kind, value in (("phone", "+5511912345601"), ("email", EMAIL)):
        ContactAddress.across_organizations.create(
            organization=aurora.organization, contact=contact, kind=kind, value=value
        )
    answer = client.get(listed(aurora))
    assert [row.called for row in answer.context["rows"]] == ["(no name)", "+55 ••• 5601"]
    for address in (page(aurora, ana), page(aurora, ana, "registration_person_erase")):
        text = shown(client.get(address))
        assert "+55 ••• 5601" in text
        assert f": {contact.pk}" not in text
        assert not tells(text)


def test_list_is_read_from_page_to_page(
    client: Client, aurora: House, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr("apps.registration.admin.people.PAGE", 2)
    ids = [write(aurora) for _ in range(3)]
    with django_assert_max_num_queries(12):
        first = client.get(listed(aurora))
    assert [row.person.id for row in first.context["rows"]] == [ids[2], ids[1]]
    second = client.get(listed(aurora) + first.context["older"])
    assert [row.person.id for row in second.context["rows"]] == [ids[0]]
    assert second.context["older"] is None
    assert shown(client.get(listed(aurora) + "?before=x"))


def test_person_is_shown_once_and_for_a_reason(client: Client, aurora: House, ana: UUID) -> None:
    assert not tells(shown(client.get(page(aurora, ana))))
    assert "This field is required" in shown(client.post(page(aurora, ana), {"reason": " ", "act": "show"}))
    assert [action for action, _person, _fields in logged()] == ["written"]
    text = shown(client.post(page(aurora, ana), {"reason": "she called", "act": "show"}))
    for each in (NAME, EMAIL, PHONE, CPF):
        assert each in text
    assert logged()[-1] == ("read", ana, sorted(ANA))
    for who, why in (("Recado", WHY), (aurora.admin.user.email, "she called")):
        assert who in text
        assert why in text
    assert not tells(shown(client.get(page(aurora, ana))))


@pytest.mark.parametrize(
    ("kind", "typed"),
    [("tax_id", CPF), ("tax_id", TAX_ID), ("email", "ana.lima@EXEMPLO.com.br"), ("phone", "(11) 91234-5601")],
)
def test_person_is_found_by_what_they_told(
    client: Client, aurora: House, boreal: House, ana: UUID, kind: str, typed: str
) -> None:
    write(aurora, {"email": (ANA["email"][0], "other@exemplo.com.br")})
    write(boreal)
    answer = client.post(listed(aurora), {"kind": kind, "value": typed, "reason": "she called"})
    assert [row.person.id for row in answer.context["rows"]] == [ana]
    assert not tells(shown(answer))
    assert logged()[-1] == ("found", ana, [kind])


def test_log_is_in_the_language_of_whoever_reads_it(client: Client, aurora: House, contact: Contact) -> None:
    told = ANA | {"favourite": (Kind.FREE, "ciabatta")}
    ana = write(aurora, told, contact_id=contact.pk, reason=apply.REASON)
    asked = {"reason": "she called", "act": "show"}
    text = shown(client.post(page(aurora, ana), asked, headers={"Accept-Language": "pt-BR"}))
    assert "a pessoa confirmou um cadastro" in text
    assert "she called" in text
    assert "E-mail, favourite, Nome, Telefone, CPF ou CNPJ" in text


def test_every_reason_of_recados_own_is_known_to_the_page() -> None:
    own = {apply.REASON, tell.REASON, known.REASON, erasure.REASON, merging.REASON, removal.RETENTION_OVER}
    assert set(accesses.REASONS) == own


def test_search_says_that_nobody_told_it_and_is_written_down(client: Client, aurora: House, ana: UUID) -> None:
    asked = {"kind": "email", "value": "nobody@exemplo.com.br", "reason": "she called"}
    assert "Nobody told it" in shown(client.post(listed(aurora), asked))
    assert logged()[-1] == ("found", None, [])


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"kind": "email", "value": "ana", "reason": "x"}, "value"),
        ({"kind": "tax_id", "value": "111.111.111-11", "reason": "x"}, "value"),
        ({"kind": "name", "value": NAME, "reason": "x"}, "kind"),
        ({"kind": "email", "value": EMAIL}, "reason"),
    ],
)
def test_search_that_makes_no_sense_is_refused(
    client: Client, aurora: House, ana: UUID, asked: dict[str, str], field: str
) -> None:
    answer = client.post(listed(aurora), asked)
    assert set(answer.context["form"].errors) == {field}
    assert len(logged()) == 1


def test_person_is_exported_for_a_reason(client: Client, aurora: House, ana: UUID) -> None:
    assert not tells(shown(client.post(page(aurora, ana), {"act": "json"})))
    document = client.post(page(aurora, ana), {"reason": "she asked for it", "act": "json"})
    assert document["Content-Disposition"] == f'attachment; filename="person-{ana}.json"'
    assert "no-store" in document["Cache-Control"]
    assert {each["name"]: each["value"] for each in document.json()["fields"]}["email"] == EMAIL
    table = client.post(page(aurora, ana), {"reason": "she asked for it", "act": "csv"})
    assert table["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(StringIO(table.content.decode("utf-8-sig"))))
    assert ["field", "email", "email", EMAIL] in [row[:4] for row in rows]
    assert [action for action, _person, _fields in logged()] == ["written", "exported", "exported"]


def test_person_is_erased_for_a_reason(client: Client, aurora: House, contact: Contact, ana: UUID) -> None:
    address = page(aurora, ana, "registration_person_erase")
    assert "This cannot be taken back" in shown(client.get(address))
    assert "This field is required" in shown(client.post(address))
    assert people.of_contact(aurora.organization, contact.pk) == ana
    text = shown(client.post(address, {"reason": "she asked for it"}))
    assert "The person is erased" in text
    assert "fields" in text
    assert people.overview(aurora.organization, person_ids=[ana]) == []
    assert logged()[-1][:2] == ("erased", ana)
    for gone in (page(aurora, ana), address):
        assert client.get(gone).status_code == 404


def test_only_those_with_the_scope_see_people(aurora: House, ana: UUID) -> None:
    for role in ("agent", "viewer"):
        client = browser_of(getattr(aurora, role).user)
        assert reverse("admin:registration_people") not in client.get("/admin/").content.decode()
        for address in (reverse("admin:registration_people"), listed(aurora), page(aurora, ana)):
            assert client.get(address).status_code == 403
        assert client.post(page(aurora, ana), {"reason": "x", "act": "show"}).status_code == 403
        erase = page(aurora, ana, "registration_person_erase")
        assert client.post(erase, {"reason": "x"}).status_code == 403
    assert reverse("admin:registration_people") in browser_of(aurora.admin.user).get("/admin/").content.decode()
    assert len(logged()) == 1


def test_who_may_only_read_erases_nobody(
    client: Client, aurora: House, ana: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SCOPES_OF, Role.ADMIN, SCOPES_OF[Role.ADMIN] - {Scope.PEOPLE_WRITE})
    erase = page(aurora, ana, "registration_person_erase")
    assert erase not in shown(client.get(page(aurora, ana)))
    assert client.get(erase).status_code == 403
    assert client.post(erase, {"reason": "x"}).status_code == 403
    assert logged()[-1][0] == "written"


def test_strangers_see_nobody(aurora: House, boreal: House, ana: UUID) -> None:
    client = browser_of(boreal.owner.user)
    assert client.get(listed(aurora)).status_code == 404
    for house in (aurora, boreal):
        for name in ("registration_person", "registration_person_erase"):
            address = page(house, ana, name)
            assert client.get(address).status_code == 404
            assert client.post(address, {"reason": "x", "act": "json"}).status_code == 404
    assert len(logged()) == 1


def test_superuser_chooses_whose_people(aurora: House, boreal: House, ana: UUID) -> None:
    client = browser_of(User.objects.create_superuser("root@recado.example", "a-very-long-pass-phrase"))
    text = shown(client.get(reverse("admin:registration_people")))
    assert listed(aurora) in text
    assert listed(boreal) in text
    assert page(aurora, ana) in shown(client.get(listed(aurora)))
    assert NAME in shown(client.post(page(aurora, ana), {"reason": "support", "act": "show"}))
    unknown = reverse("admin:registration_people_of", args=[new_id()])
    assert client.get(unknown).status_code == 404

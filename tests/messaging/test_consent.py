"""The suppression list and the history of what people allowed and refused: kept, shown, and changed by whom."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apps.accounts.models import AuditEvent
from apps.accounts.roles import Scope
from apps.core.ids import new_id
from apps.messaging.consent import choices, suppressions
from apps.messaging.consent.choices import ALL, Choice, about_category, choose
from apps.messaging.models import ConsentEvent, ConsentSource, Contact, ContactAddress, Suppression
from tests.cast import Api, House, as_member, with_key

pytestmark = pytest.mark.django_db
ANA, BIA, CAIO = "+5511912345601", "+5511912345602", "+5511912345603"


def person(house: House, address: str = ANA, kind: str = "phone") -> Contact:
    contact = Contact.across_organizations.create(organization=house.organization)
    ContactAddress.across_organizations.create(
        organization=house.organization, contact=contact, kind=kind, value=address
    )
    return contact


def add(
    house: House, *addresses: str, source: ConsentSource = ConsentSource.API, **said: Any
) -> list[Suppression]:
    return suppressions.add(house.organization.id, "phone", addresses, source, **said)


def told(contact: Contact) -> list[tuple[str, bool, str, str]]:
    events = ConsentEvent.across_organizations.filter(contact=contact).order_by("id")
    return list(events.values_list("subject", "is_given", "source", "detail"))


def has_left(contact: Contact) -> bool:
    return Contact.across_organizations.get(pk=contact.pk).left_at is not None


# The list


def test_suppression_is_noted_with_whoever_has_the_address(aurora: House, boreal: House) -> None:
    ana, theirs = person(aurora), person(boreal)
    assert [each.value for each in add(aurora, ANA, BIA, detail="said so by phone")] == [ANA, BIA]
    assert told(ana) == [(f"phone:{ANA}", False, "api", "said so by phone")]
    assert told(theirs) == []
    assert add(aurora, ANA) == []
    assert len(told(ana)) == 1
    assert [each.value for each in add(aurora, ANA, category="marketing")] == [ANA]
    assert told(ana)[-1][0] == f"phone:{ANA} marketing"


def test_many_are_suppressed_with_as_many_statements_as_a_few(aurora: House) -> None:
    for address in (ANA, CAIO):
        person(aurora, address)

    def statements(addresses: list[str]) -> int:
        with CaptureQueriesContext(connection) as asked:
            add(aurora, *addresses)
        return len(asked)

    few = statements([ANA, BIA])
    assert statements([CAIO, *(f"+55119{n:08d}" for n in range(500))]) == few <= 6


def test_only_what_a_person_said_themselves_is_lifted(aurora: House) -> None:
    ana = person(aurora)
    for number, source in enumerate(ConsentSource):
        add(aurora, ANA, source=source, category=f"c{number}")
    suppressions.lift(aurora.organization.id, [("phone", ANA)], ConsentSource.WORD)
    left = Suppression.across_organizations.order_by("source").values_list("source", flat=True)
    assert list(left) == ["api", "operator", "provider"]
    assert [each for each in told(ana) if each[1]] == [(f"phone:{ANA} c{n}", True, "word", "") for n in range(3)]


# A person's choices


def test_choice_is_kept_once_and_noted_where_it_changes_something(aurora: House) -> None:
    ana = person(aurora)
    marketing = about_category("marketing")
    for _ in range(2):
        choose(ana.pk, [Choice(marketing, is_given=False), Choice(ALL, is_given=True)], ConsentSource.PAGE)
    ana.refresh_from_db()
    assert ana.refused_categories == ["marketing"]
    assert told(ana) == [(marketing, False, "page", "")]
    choose(ana.pk, [Choice(marketing, is_given=True)], ConsentSource.PAGE)
    ana.refresh_from_db()
    assert (ana.refused_categories, len(told(ana))) == ([], 2)


def test_who_leaves_twice_left_the_first_time(aurora: House) -> None:
    ana = person(aurora)
    choose(ana.pk, [Choice(ALL, is_given=False)], ConsentSource.PAGE)
    ana.refresh_from_db()
    left_at = ana.left_at
    choose(ana.pk, [Choice(ALL, is_given=False)], ConsentSource.API, notes_repeats=True)
    ana.refresh_from_db()
    assert left_at is not None
    assert ana.left_at == left_at
    assert len(told(ana)) == 2


# The API


@pytest.fixture
def api(aurora: House) -> Api:
    return with_key(aurora.organization)


def test_api_suppresses_many_addresses_and_lists_them(api: Api, aurora: House, boreal: House) -> None:
    suppressions.add(boreal.organization.id, "phone", [CAIO], ConsentSource.API)
    body = {
        "kind": "phone",
        "addresses": ["+55 11 91234-5601", BIA, ANA],
        "source": "word",
        "detail": "old system",
    }
    answer = api.post("/v1/suppressions", body)
    assert (answer.status_code, answer.json()) == (201, {"added": 2, "known": 0})
    assert api.post("/v1/suppressions", body | {"addresses": [BIA, CAIO]}).json() == {"added": 1, "known": 1}

    listed = api.get("/v1/suppressions").json()["data"]
    assert [each["address"] for each in listed] == [CAIO, BIA, ANA]
    assert listed[0]["kind"] == "phone"
    assert (listed[0]["source"], listed[0]["detail"], listed[0]["category"]) == ("word", "old system", "")
    for query, expected in [
        ("address=%2B55 11 91234-5602", [BIA]), ("kind=email", []), ("source=word&limit=1", [CAIO]),
        ("source=api", []), (f"kind=phone&address=%2B{ANA[1:]}", [ANA]),
    ]:  # fmt: skip
        found = api.get(f"/v1/suppressions?{query}").json()["data"]
        assert [each["address"] for each in found] == expected, query
    (first, _second) = AuditEvent.across_organizations.filter(action="suppression.added").order_by("id")
    assert first.changes["count"] == [None, 2]
    assert api.get("/v1/suppressions?sorce=api").status_code == 400


def test_api_suppresses_all_or_none(api: Api) -> None:
    wrong = [
        ({"kind": "phone", "addresses": [ANA, "911", BIA, "x"]}, ["/addresses/1", "/addresses/3"]),
        ({"kind": "phone", "addresses": []}, ["/addresses"]),
        ({"kind": "phone", "addresses": [ANA] * 1001}, ["/addresses"]),
        ({"kind": "pigeon", "addresses": [ANA]}, ["/kind"]),
        ({"kind": "phone", "addresses": [ANA], "category": "transactional"}, ["/category"]),
        ({"kind": "phone", "addresses": [ANA], "category": "Not One"}, ["/category"]),
        ({"kind": "phone", "addresses": [ANA], "source": "operator"}, ["/source"]),
        ({"kind": "phone", "addresses": [ANA], "detail": "x" * 256}, ["/detail"]),
        ({"kind": "phone", "address": [ANA]}, ["/address"]),
    ]  # fmt: skip
    for body, pointers in wrong:
        answer = api.post("/v1/suppressions", body)
        assert answer.status_code == 400, body
        assert [error["pointer"] for error in answer.json()["errors"]] == pointers
    assert not Suppression.across_organizations.exists()


def test_api_lifts_a_suppression_and_says_so(api: Api, aurora: House, boreal: House) -> None:
    ana = person(aurora)
    (own,) = add(aurora, ANA, source=ConsentSource.WORD)
    (theirs,) = suppressions.add(boreal.organization.id, "phone", [ANA], ConsentSource.API)
    for unknown in (theirs.pk, new_id()):
        assert api.delete(f"/v1/suppressions/{unknown}").status_code == 404
    assert api.delete(f"/v1/suppressions/{own.pk}").status_code == 204
    assert list(Suppression.across_organizations.all()) == [theirs]
    assert told(ana)[-1] == (f"phone:{ANA}", True, "api", "")
    assert AuditEvent.across_organizations.get(action="suppression.removed").target_label == ANA


def test_api_records_what_a_person_said_elsewhere(api: Api, aurora: House, boreal: House) -> None:
    ana, theirs = person(aurora), person(boreal)
    url = f"/v1/contacts/{ana.pk}/consents"
    said = {"subject": "category:marketing", "is_given": False, "detail": "at the counter"}
    answer = api.post(url, said)
    assert answer.status_code == 201
    assert {name: answer.json()[name] for name in said} == said
    api.post(url, {"subject": "channel:whatsapp_cloud", "is_given": False})
    api.post(url, {"subject": "all", "is_given": False})
    ana.refresh_from_db()
    assert (ana.refused_categories, ana.refused_channels) == (["marketing"], ["whatsapp_cloud"])
    assert has_left(ana)
    api.post(url, {"subject": "all", "is_given": True})
    assert api.post(url, {"subject": "all", "is_given": True}).status_code == 201, "proof counts, said twice too"
    assert not has_left(ana)

    listed = api.get(f"{url}?limit=2").json()
    assert [(each["subject"], each["is_given"]) for each in listed["data"]] == [("all", True)] * 2
    assert listed["next"]
    trail = AuditEvent.across_organizations.filter(action="consent.recorded").order_by("id")
    assert trail[0].changes == {"category:marketing": [True, False]}
    assert len(trail) == 5
    for method in (api.get, lambda path: api.post(path, said)):
        assert method(f"/v1/contacts/{theirs.pk}/consents").status_code == 404
    for subject in (
        "category:transactional",
        "category:service",
        "channel:pigeon",
        "everything",
        "category:",
        "all\n",
    ):
        assert api.post(url, {"subject": subject, "is_given": False}).status_code in {400, 201}
    assert not {"transactional", "service"} & set(Contact.across_organizations.get(pk=ana.pk).refused_categories)


def test_a_contact_keeps_no_endless_list_of_refusals(
    api: Api, aurora: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choices, "MOST_REFUSED", 2)
    url = f"/v1/contacts/{person(aurora).pk}/consents"
    answers = [api.post(url, {"subject": f"category:c{n}", "is_given": False}) for n in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 409]
    assert answers[-1].json()["code"] == "too_many_refused"
    assert api.post(url, {"subject": "category:c0", "is_given": True}).status_code == 201


def test_consent_needs_the_scopes_of_messages(aurora: House) -> None:
    ana = person(aurora)
    reader = with_key(aurora.organization, Scope.MESSAGES_READ)
    stranger = with_key(aurora.organization, Scope.CHANNELS_WRITE)
    body = {"kind": "phone", "addresses": [ANA]}
    assert reader.get("/v1/suppressions").status_code == 200
    assert reader.post("/v1/suppressions", body).status_code == 403
    assert stranger.get("/v1/suppressions").status_code == 403
    assert stranger.get(f"/v1/contacts/{ana.pk}/consents").status_code == 403
    assert as_member(aurora.viewer).post(f"/v1/contacts/{ana.pk}/consents", {}).status_code == 403
    assert as_member(aurora.agent).post("/v1/suppressions", body).status_code == 201


# The admin


@pytest.fixture
def agent(aurora: House, settings: Settings) -> Client:
    settings.ADMIN_REQUIRES_MFA = False
    client = Client()
    client.force_login(aurora.agent.user)
    return client


LIST = "/admin/messaging/suppression/"


def shown(client: Client, query: str = "") -> list[str]:
    return [row.value for row in client.get(f"{LIST}?{query}").context["cl"].result_list]


def test_operator_suppresses_an_address_and_takes_it_back_for_a_reason(
    agent: Client, aurora: House, boreal: House
) -> None:
    ana = person(aurora)
    add(boreal, CAIO)
    page = agent.post(f"{LIST}add/", {"kind": "phone", "value": "+55 11 91234-5601", "detail": "court order"})
    assert page.status_code == 302
    found = Suppression.objects.for_organization(aurora.organization).get()
    assert (found.value, found.source, found.detail) == (ANA, "operator", "court order")
    assert told(ana) == [(f"phone:{ANA}", False, "operator", "court order")]
    for wrong in ({"value": "911"}, {"detail": ""}, {"kind": "pigeon"}):
        said = {"kind": "phone", "value": BIA, "detail": "why"} | wrong
        assert agent.post(f"{LIST}add/", said).status_code == 200
    again = agent.post(f"{LIST}add/", {"kind": "phone", "value": ANA, "detail": "again"}, follow=True)
    assert "suppressed already" in again.content.decode()

    assert "court order" in agent.get(f"{LIST}{found.pk}/change/").content.decode()
    assert agent.post(f"{LIST}{found.pk}/change/", {"value": BIA}).status_code == 403
    assert agent.post(f"{LIST}{found.pk}/delete/", {"post": "yes"}).status_code == 403
    assert agent.post(f"{LIST}{found.pk}/remove/").status_code == 200, "asks for a reason"
    assert Suppression.objects.for_organization(aurora.organization).exists()
    agent.post(f"{LIST}{found.pk}/remove/", {"reason": "they asked"})
    assert not Suppression.objects.for_organization(aurora.organization).exists()
    assert told(ana)[-1] == (f"phone:{ANA}", True, "operator", "they asked")
    actions = AuditEvent.across_organizations.order_by("id").values_list("action", flat=True)
    assert list(actions)[-2:] == ["suppression.added", "suppression.removed"]


def test_operator_finds_addresses_of_their_own_organization(agent: Client, aurora: House, boreal: House) -> None:
    add(aurora, ANA, source=ConsentSource.WORD)
    add(aurora, BIA, source=ConsentSource.PROVIDER)
    (theirs,) = add(boreal, CAIO)
    assert shown(agent) == [BIA, ANA]
    assert shown(agent, "q=%2B55 11 91234-5601") == [ANA]
    assert shown(agent, f"q=%2B{CAIO[1:]}") == []
    assert shown(agent, "source=provider") == [BIA]
    assert agent.get(f"{LIST}{theirs.pk}/remove/").status_code == 404


def test_viewer_sees_and_changes_nothing(aurora: House, settings: Settings) -> None:
    settings.ADMIN_REQUIRES_MFA = False
    (found,) = add(aurora, ANA)
    client = Client()
    client.force_login(aurora.viewer.user)
    assert shown(client) == [ANA]
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{found.pk}/remove/", {"reason": "x"}).status_code in {302, 403}
    assert Suppression.across_organizations.exists()


def test_page_of_a_contact_tells_their_history_and_keeps_it(agent: Client, aurora: House) -> None:
    ana = person(aurora)
    choose(ana.pk, [Choice(about_category("marketing"), is_given=False)], ConsentSource.PAGE, "by hand")
    page = agent.get(f"/admin/messaging/contact/{ana.pk}/change/").content.decode()
    assert "category:marketing" in page
    assert "by hand" in page
    assert 'name="consent_events-0-subject"' not in page

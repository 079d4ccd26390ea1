from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from django.db import connection
from rest_framework.exceptions import NotFound

from apps.accounts import members
from apps.accounts.members import LastOwner, RoleAboveOwn
from apps.accounts.models import AuditEvent, Membership, User
from apps.accounts.roles import RANK, SCOPES_OF, Role, Scope
from tests.cast import PASSWORD, Api, House, add_member, as_member, with_key

pytestmark = pytest.mark.django_db


def test_added_person_is_new_and_has_no_password(owner: Api) -> None:
    answer = owner.post("/v1/members", {"email": "Nova@Aurora.Example", "name": "Nova", "role": "agent"})
    assert answer.status_code == 201
    person = User.objects.get(email="nova@aurora.example")
    assert not person.has_usable_password()


def test_person_of_another_organization_keeps_their_account(aurora: House, boreal: House, owner: Api) -> None:
    added = owner.post("/v1/members", {"email": "agent@boreal.example", "role": "viewer", "name": "Someone else"})
    assert added.json()["name"] == "Someone else"
    person = User.objects.get(email="agent@boreal.example")
    assert person.name == ""
    assert person.memberships.count() == 2


def test_member_is_added_once(owner: Api) -> None:
    answer = owner.post("/v1/members", {"email": "agent@aurora.example", "role": "agent"})
    assert answer.status_code == 409
    assert answer.json()["code"] == "already_member"


@pytest.mark.parametrize("role", ["owner"])
def test_admin_gives_nobody_a_role_above_their_own(aurora: House, role: str) -> None:
    admin = as_member(aurora.admin)
    assert admin.post("/v1/members", {"email": "x@aurora.example", "role": role}).status_code == 403
    assert admin.patch(f"/v1/members/{aurora.agent.id}", {"role": role}).status_code == 403
    assert not User.objects.filter(email="x@aurora.example").exists()


def test_admin_takes_nothing_from_an_owner(aurora: House) -> None:
    admin = as_member(aurora.admin)
    assert admin.patch(f"/v1/members/{aurora.owner.id}", {"role": "viewer"}).json()["code"] == "role_above_own"
    assert admin.delete(f"/v1/members/{aurora.owner.id}").json()["code"] == "role_above_own"


def test_api_key_makes_nobody_who_may_more_than_itself(aurora: House) -> None:
    narrow = with_key(aurora.organization, Scope.MEMBERS_WRITE, *SCOPES_OF[Role.VIEWER])
    assert narrow.post("/v1/members", {"email": "x@aurora.example", "role": "admin"}).status_code == 403
    assert narrow.patch(f"/v1/members/{aurora.viewer.id}", {"role": "admin"}).status_code == 403
    assert narrow.post("/v1/members", {"email": "x@aurora.example", "role": "viewer"}).status_code == 201
    wide = with_key(aurora.organization)
    assert wide.post("/v1/members", {"email": "y@aurora.example", "role": "owner"}).status_code == 403
    assert wide.post("/v1/members", {"email": "y@aurora.example", "role": "admin"}).status_code == 201


def test_member_who_became_owner_meanwhile_is_not_removed_by_an_admin(aurora: House) -> None:
    """The admin's request read them as an agent, before the owner promoted them and stepped down."""
    as_read = Membership.objects.for_organization(aurora.organization).get(pk=aurora.agent.pk)
    members.change_role(aurora.principal("owner"), aurora.agent, Role.OWNER)
    members.change_role(aurora.principal("owner"), aurora.owner, Role.ADMIN)
    with pytest.raises(RoleAboveOwn):
        members.remove(aurora.principal("admin"), as_read)
    assert Membership.objects.for_organization(aurora.organization).filter(role=Role.OWNER).count() == 1


def test_member_who_is_gone_meanwhile_is_not_found(aurora: House) -> None:
    as_read = Membership.objects.for_organization(aurora.organization).get(pk=aurora.agent.pk)
    members.remove(aurora.principal("owner"), aurora.agent)
    with pytest.raises(NotFound):
        members.remove(aurora.principal("owner"), as_read)
    with pytest.raises(NotFound):
        members.change_role(aurora.principal("owner"), as_read, Role.VIEWER)
    assert AuditEvent.objects.for_organization(aurora.organization).filter(action="member.removed").count() == 1


@pytest.mark.django_db(transaction=True)
def test_person_who_is_new_in_many_organizations_at_once_exists_once(aurora: House, boreal: House) -> None:
    def add(house: House) -> str:
        try:
            return members.add(house.principal("owner"), email="new@x.example", role=Role.VIEWER).user.email
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(add, [aurora, boreal])) == ["new@x.example"] * 2
    assert User.objects.filter(email="new@x.example").count() == 1


def test_nobody_learns_from_adding_a_person_who_they_are_elsewhere(
    aurora: House, boreal: House, owner: Api
) -> None:
    User.objects.filter(pk=boreal.agent.user_id).update(name="Bruno Tavares")
    known = owner.post("/v1/members", {"email": "agent@boreal.example", "role": "viewer"}).json()
    unknown = owner.post("/v1/members", {"email": "nobody@boreal.example", "role": "viewer"}).json()
    changing = {"id", "email", "created_at"}
    assert {name: known[name] for name in known if name not in changing} == {
        name: unknown[name] for name in unknown if name not in changing
    }


def test_person_who_is_added_elsewhere_goes_on_working_where_they_were(aurora: House, boreal: House) -> None:
    before = Api().post("/v1/auth/token", {"email": "agent@boreal.example", "password": PASSWORD})
    members.add(aurora.principal("owner"), email="agent@boreal.example", role=Role.VIEWER)
    after = Api().post("/v1/auth/token", {"email": "agent@boreal.example", "password": PASSWORD})
    for answer in (before, after):
        api = Api(f"Bearer {answer.json()['access']}")
        assert api.get("/v1/organization").json()["slug"] == "boreal"


def test_address_that_grows_when_written_small_is_a_problem(owner: Api) -> None:
    email = "a@" + "İ" * 60 + "." + "İ" * 60 + "." + "İ" * 60 + "." + "İ" * 55 + ".com"
    assert owner.post("/v1/members", {"email": email, "role": "viewer"}).status_code == 400


def test_last_owner_stays(aurora: House, owner: Api) -> None:
    assert owner.delete(f"/v1/members/{aurora.owner.id}").json()["code"] == "last_owner"
    assert owner.patch(f"/v1/members/{aurora.owner.id}", {"role": "admin"}).json()["code"] == "last_owner"
    add_member(aurora.organization, "second@aurora.example", Role.OWNER)
    assert owner.patch(f"/v1/members/{aurora.owner.id}", {"role": "admin"}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_remove_each_other_at_once_leave_one(aurora: House) -> None:
    second = add_member(aurora.organization, "second@aurora.example", Role.OWNER)

    def remove(membership: Membership) -> str:
        try:
            members.remove(aurora.principal("owner"), membership)
        except LastOwner:
            return "refused"
        finally:
            connection.close()
        return "removed"

    with ThreadPoolExecutor(2) as threads:
        outcomes = sorted(threads.map(remove, [aurora.owner, second]))
    assert outcomes == ["refused", "removed"]
    assert Membership.objects.for_organization(aurora.organization).filter(role=Role.OWNER).count() == 1


def test_higher_role_may_all_that_a_lower_one_may() -> None:
    assert set(RANK) == set(SCOPES_OF) == set(Role)
    for higher, lower in pairwise(RANK):
        assert SCOPES_OF[higher] >= SCOPES_OF[lower]


def test_list_of_members_costs_the_same_however_long_it_is(
    aurora: House, owner: Api, django_assert_max_num_queries: object
) -> None:
    for number in range(30):
        add_member(aurora.organization, f"p{number}@aurora.example", Role.VIEWER)
    with django_assert_max_num_queries(2):  # type: ignore[operator]
        assert len(owner.get("/v1/members").json()["data"]) == 34

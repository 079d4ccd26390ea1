from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from django.db import connection

from apps.accounts import members
from apps.accounts.members import LastOwner
from apps.accounts.models import Membership, User
from apps.accounts.roles import RANK, SCOPES_OF, Role, Scope
from tests.cast import Api, House, add_member, as_member, with_key

pytestmark = pytest.mark.django_db


def test_added_person_is_new_and_has_no_password(owner: Api) -> None:
    answer = owner.post("/v1/members", {"email": "Nova@Aurora.Example", "name": "Nova", "role": "agent"})
    assert answer.status_code == 201
    person = User.objects.get(email="nova@aurora.example")
    assert not person.has_usable_password()


def test_person_of_another_organization_keeps_their_account(aurora: House, boreal: House, owner: Api) -> None:
    owner.post("/v1/members", {"email": "agent@boreal.example", "role": "viewer", "name": "Someone else"})
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


def test_api_key_cannot_make_owners(aurora: House) -> None:
    key = with_key(aurora.organization, Scope.MEMBERS_WRITE)
    assert key.post("/v1/members", {"email": "x@aurora.example", "role": "owner"}).status_code == 403
    assert key.post("/v1/members", {"email": "x@aurora.example", "role": "admin"}).status_code == 201


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

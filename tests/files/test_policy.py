import pytest

from apps.accounts.models import AuditEvent
from apps.files.models import StoragePolicy
from tests.cast import Api, House, as_member

pytestmark = pytest.mark.django_db


def test_policy_is_there_before_anything_was_stored(owner: Api) -> None:
    assert owner.get("/v1/storage-policy").json() == {
        "largest_bytes": None, "most_bytes": None, "keep_days": None, "unused_days": None, "stored_bytes": 0,
    }  # fmt: skip


def test_policy_is_changed_and_written_down(owner: Api, aurora: House) -> None:
    changed = owner.patch("/v1/storage-policy", {"keep_days": 30, "most_bytes": 10**9})
    assert (changed.json()["keep_days"], changed.json()["most_bytes"]) == (30, 10**9)
    assert owner.patch("/v1/storage-policy", {"keep_days": None}).json()["keep_days"] is None
    actions = AuditEvent.objects.for_organization(aurora.organization).filter(action="storage_policy.changed")
    assert actions.count() == 2


@pytest.mark.parametrize("body", [{"keep_days": 0}, {"keep_days": "1"}, {"stored_bytes": 1}, {"most_bytes": -1}])
def test_policy_takes_nothing_that_makes_no_sense(owner: Api, body: dict[str, object]) -> None:
    assert owner.patch("/v1/storage-policy", body).status_code == 400
    assert not StoragePolicy.across_organizations.exclude(keep_days=None).exists()


def test_policy_is_not_for_agents_to_change(aurora: House) -> None:
    assert as_member(aurora.agent).get("/v1/storage-policy").status_code == 200
    assert as_member(aurora.agent).patch("/v1/storage-policy", {"keep_days": 1}).status_code == 403

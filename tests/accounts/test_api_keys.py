from datetime import timedelta
from typing import Any

import pytest

from apps.accounts import api_keys
from apps.accounts.models import ApiKey
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.core import clock
from tests.cast import Api, House, as_member, with_key

pytestmark = pytest.mark.django_db


def issue(house: House, **values: Any) -> tuple[ApiKey, str]:
    return api_keys.issue(
        Principal.of_system(house.organization), **{"name": "Loja", "scopes": ["members:read"]} | values
    )


def stored(key: ApiKey) -> ApiKey:
    return ApiKey.across_organizations.get(pk=key.pk)


def test_key_opens_its_own_organization(aurora: House, boreal: House) -> None:
    _, text = issue(aurora)
    assert Api(f"Api-Key {text}").get("/v1/me").json()["organization"]["slug"] == "aurora"


def test_key_is_stored_as_a_digest_only(aurora: House) -> None:
    key, text = issue(aurora)
    row = ApiKey.across_organizations.filter(pk=key.pk).values().get()
    assert text not in str(row)
    assert text.split("_", 2)[2] not in str(row)
    assert len(bytes(row["digest"])) == 32


def test_keys_secret_has_256_bits_and_is_never_the_same(aurora: House) -> None:
    secrets = {issue(aurora)[1].split("_", 2)[2] for _ in range(20)}
    assert len(secrets) == 20
    assert all(len(secret) == 43 for secret in secrets)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-1],
        lambda text: text + "x",
        lambda text: text.swapcase(),
        lambda text: text.replace("rk_", "sk_"),
        lambda text: text.rsplit("_", 1)[0],
        lambda _text: "",
        lambda _text: "é" * 10,
        lambda _text: "x" * 10_000,
    ],
)
def test_forged_key_is_refused(aurora: House, spoil: Any) -> None:
    _, text = issue(aurora)
    answer = Api(f"Api-Key {spoil(text)}").get("/v1/me")
    assert answer.status_code == 401
    assert answer.json()["code"] == "invalid_api_key"
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_expired_key_is_refused(aurora: House) -> None:
    key, text = issue(aurora, expires_at=clock.now() + timedelta(hours=1))
    assert api_keys.recognize(text) == key
    ApiKey.across_organizations.filter(pk=key.pk).update(expires_at=clock.now())
    assert api_keys.recognize(text) is None


def test_revoked_key_is_refused_from_the_next_request_on(aurora: House, owner: Api) -> None:
    key, text = issue(aurora)
    assert owner.delete(f"/v1/api-keys/{key.id}").status_code == 204
    assert Api(f"Api-Key {text}").get("/v1/me").status_code == 401
    first = stored(key).revoked_at
    owner.delete(f"/v1/api-keys/{key.id}")
    assert stored(key).revoked_at == first


def test_rotated_key_works_beside_its_successor_for_a_while(aurora: House, owner: Api) -> None:
    key, old_text = issue(aurora)
    answer = owner.post(f"/v1/api-keys/{key.id}/rotate", {"overlap_seconds": 3600}).json()
    assert answer["scopes"] == key.scopes
    assert answer["replaces"] == str(key.id)
    for text in (old_text, answer["key"]):
        assert Api(f"Api-Key {text}").get("/v1/me").status_code == 200
    remaining = (stored(key).expires_at or clock.now()) - clock.now()
    assert timedelta(minutes=59) < remaining <= timedelta(hours=1)


def test_rotation_never_makes_a_key_live_longer(aurora: House) -> None:
    soon = clock.now() + timedelta(minutes=5)
    key, _ = issue(aurora, expires_at=soon)
    successor, _ = api_keys.rotate(Principal.of_system(aurora.organization), key)
    assert stored(key).expires_at == soon
    assert successor.expires_at == soon


def test_key_is_rotated_once(aurora: House, owner: Api) -> None:
    key, _ = issue(aurora)
    assert owner.post(f"/v1/api-keys/{key.id}/rotate", {}).status_code == 201
    again = owner.post(f"/v1/api-keys/{key.id}/rotate", {})
    assert again.status_code == 409
    assert again.json()["code"] == "not_rotatable"


def test_nobody_makes_a_key_that_may_more_than_themselves(aurora: House) -> None:
    caller = with_key(aurora.organization, Scope.API_KEYS_WRITE)
    answer = caller.post("/v1/api-keys", {"name": "Mais", "scopes": ["members:write"]})
    assert answer.status_code == 403
    assert answer.json()["code"] == "scope_above_own"


def test_key_that_expires_makes_none_that_lives_longer(aurora: House) -> None:
    soon = clock.now() + timedelta(hours=1)
    _, text = issue(aurora, scopes=[Scope.API_KEYS_WRITE], expires_at=soon)
    caller = Api(f"Api-Key {text}")
    body = {"name": "x", "scopes": ["api_keys:write"]}
    assert caller.post("/v1/api-keys", body).json()["code"] == "outlives_maker"
    assert caller.post("/v1/api-keys", body | {"expires_at": soon.isoformat()}).status_code == 201


def test_nobody_rotates_a_key_that_may_more_than_themselves(aurora: House) -> None:
    key, _ = issue(aurora, scopes=[Scope.MEMBERS_WRITE])
    caller = with_key(aurora.organization, Scope.API_KEYS_WRITE)
    assert caller.post(f"/v1/api-keys/{key.id}/rotate", {}).status_code == 403


def test_key_that_expires_in_the_past_is_refused(owner: Api) -> None:
    body = {"name": "x", "scopes": ["members:read"], "expires_at": "2020-01-01T00:00:00Z"}
    (error,) = owner.post("/v1/api-keys", body).json()["errors"]
    assert error == {"pointer": "/expires_at", "code": "in_the_past", "detail": "This is in the past."}


def test_last_use_is_noted_without_a_write_for_every_request(
    aurora: House, django_assert_num_queries: Any
) -> None:
    key, text = issue(aurora)
    with django_assert_num_queries(2):
        api_keys.recognize(text)
    noted = stored(key).last_used_at
    assert noted is not None
    with django_assert_num_queries(1):
        api_keys.recognize(text)
    ApiKey.across_organizations.filter(pk=key.pk).update(last_used_at=noted - timedelta(minutes=2))
    api_keys.recognize(text)
    assert (stored(key).last_used_at or noted) >= noted


def test_key_of_a_viewer_cannot_exist(aurora: House) -> None:
    answer = as_member(aurora.viewer).post("/v1/api-keys", {"name": "x", "scopes": ["members:read"]})
    assert answer.json()["code"] == "missing_scope"

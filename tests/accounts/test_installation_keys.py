"""Keys of those who run the installation: shown once, worth as much as whoever made them, and no way into any
organization."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from apps.accounts import installation_keys
from apps.accounts.models import AuditEvent, InstallationKey, User
from apps.core import clock
from tests.accounts.endpoints import CALLS, Endpoint, named
from tests.cast import Api, House, with_key
from tests.live.test_views import browser_of

pytestmark = pytest.mark.django_db
LIST = "/admin/accounts/installationkey/"
ASKED = "/v1/installation/organizations"


@pytest.fixture(autouse=True)
def _without_second_factor(settings: Settings) -> None:
    settings.ADMIN_REQUIRES_MFA = False


@pytest.fixture
def root() -> User:
    return User.objects.create_superuser("root@recado.example", "pão-de-queijo-quente")


@pytest.fixture
def client(root: User) -> Client:
    return browser_of(root)


def caller(text: str) -> Api:
    return Api(f"Installation-Key {text}")


def status(text: str) -> int:
    answer: int = caller(text).get(ASKED).status_code
    return answer


def test_key_is_made_in_the_admin_and_shown_once(client: Client, root: User) -> None:
    answer = client.post(f"{LIST}add/", {"name": "Terraform", "expires_at_0": "", "expires_at_1": ""})
    key = InstallationKey.objects.get()
    page = answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    text = page.split(f'value="{key.prefix}')[1].split('"')[0]
    text = f"{key.prefix}{text}"
    assert status(text) == 200
    assert text not in client.get(LIST).content.decode()
    assert text not in client.get(f"{LIST}{key.pk}/change/").content.decode()
    assert bytes(key.digest) not in {text.encode(), b""}
    assert key.made_by == root
    key.refresh_from_db()
    assert key.last_used_at is not None
    (event,) = AuditEvent.across_organizations.filter(action="installation_key.created")
    assert (event.organization, event.actor_label, event.target_id) == (None, root.email, key.pk)


def test_key_is_revoked_after_asking(client: Client, root: User) -> None:
    key, text = installation_keys.issue(root, name="x")
    address = reverse("admin:accounts_installationkey_revoke_key", args=[key.pk])
    assert "cannot be undone" in client.get(address).content.decode()
    assert status(text) == 200
    assert client.post(address).status_code == 302
    assert client.post(address).status_code == 302
    assert status(text) == 401
    assert AuditEvent.across_organizations.filter(action="installation_key.revoked").count() == 1
    assert client.get(address.replace(str(key.pk), "x")).status_code == 404
    assert "revoked" in client.get(LIST).content.decode()


def test_key_ends_with_its_time(root: User, client: Client) -> None:
    key, text = installation_keys.issue(root, name="x", expires_at=clock.now() + timedelta(hours=1))
    assert status(text) == 200
    InstallationKey.objects.filter(pk=key.pk).update(expires_at=clock.now())
    assert status(text) == 401
    past = {"name": "x", "expires_at_0": "2020-01-01", "expires_at_1": "00:00:00"}
    assert "in the past" in client.post(f"{LIST}add/", past).content.decode()


@pytest.mark.parametrize("lost", ["is_superuser", "is_active"])
def test_key_is_worth_as_much_as_who_made_it(root: User, lost: str) -> None:
    _, text = installation_keys.issue(root, name="x")
    assert status(text) == 200
    User.objects.filter(pk=root.pk).update(**{lost: False})
    answer = caller(text).get(ASKED)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_installation_key")
    root.refresh_from_db()
    with pytest.raises(installation_keys.NotForSuperusers):
        installation_keys.issue(root, name="y")


def test_key_of_somebody_who_is_gone_opens_nothing(client: Client) -> None:
    gone = User.objects.create_superuser("gone@recado.example", "pão-de-queijo-quente")
    _, text = installation_keys.issue(gone, name="Terraform")
    assert status(text) == 200
    client.post(f"/admin/accounts/user/{gone.pk}/delete/", {"post": "yes"})
    assert not User.objects.filter(pk=gone.pk).exists()
    assert status(text) == 401
    assert "Terraform" in client.get(LIST).content.decode()


@pytest.mark.parametrize("change", ["ri_", "", "x", "rk_", "ri_abcdefghijkm_x", "pão"])
def test_what_is_no_key_is_refused(root: User, change: str) -> None:
    _, text = installation_keys.issue(root, name="x")
    assert status(change) == 401
    assert status(text[:-1] + ("a" if text[-1] != "a" else "b")) == 401


@pytest.mark.parametrize(("endpoint", "method"), CALLS, ids=named(CALLS))
def test_key_opens_nothing_of_organizations(root: User, endpoint: Endpoint, method: str) -> None:
    if endpoint.path in {"/v1/auth/token", "/v1/auth/refresh"}:
        return
    _, text = installation_keys.issue(root, name="x")
    path = endpoint.filled(UUID(int=0))
    for scheme in ("Installation-Key", "Api-Key", "Bearer"):
        assert Api(f"{scheme} {text}").send(method.upper(), path, {}).status_code == 401


def test_members_of_organizations_see_no_installation_keys(aurora: House, root: User) -> None:
    key, _ = installation_keys.issue(root, name="Terraform")
    owner = browser_of(aurora.owner.user)
    for address in (LIST, f"{LIST}add/", f"{LIST}{key.pk}/change/", f"{LIST}{key.pk}/revoke/"):
        assert owner.get(address).status_code == 403
        assert owner.post(address, {"name": "y"}).status_code == 403
    assert InstallationKey.objects.get().revoked_at is None
    assert "Terraform" not in with_key(aurora.organization).get("/v1/api-keys").content.decode()

"""People's way in for programs: tokens, refreshes, second factors, and those who guess."""

from datetime import timedelta
from typing import Any

import jwt
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.test import Client
from pytest_django import Settings

from apps.accounts.models import Session
from apps.accounts.roles import Role
from apps.accounts.tokens import InvalidToken, issue_access_token, read_access_token
from apps.core import clock
from apps.core.ids import new_id
from tests.cast import PASSWORD, Api, House, add_member

pytestmark = pytest.mark.django_db
EMAIL = "owner@aurora.example"


def log_in(email: str = EMAIL, password: str = PASSWORD, **more: Any) -> Any:
    return Api().post("/v1/auth/token", {"email": email, "password": password, **more})


def bearer(token: str) -> Api:
    return Api(f"Bearer {token}")


def test_person_logs_in_and_acts_in_their_organization(aurora: House) -> None:
    tokens = log_in()
    assert tokens.status_code == 201
    assert tokens["Cache-Control"] == "no-store"
    me = bearer(tokens.json()["access"]).get("/v1/me").json()
    assert (me["label"], me["role"], me["organization"]["slug"]) == (EMAIL, "owner", "aurora")


def test_email_is_recognized_in_any_case(aurora: House) -> None:
    assert log_in("OWNER@Aurora.Example").status_code == 201


def test_access_token_carries_user_and_organization(aurora: House) -> None:
    claims = jwt.decode(log_in().json()["access"], options={"verify_signature": False})
    assert claims["user_id"] == str(aurora.owner.user_id)
    assert claims["organization_id"] == str(aurora.organization.id)
    assert claims["exp"] - claims["iat"] == 15 * 60


@pytest.mark.parametrize("email", [EMAIL, "nobody@aurora.example"])
def test_wrong_password_and_unknown_email_are_answered_alike(aurora: House, email: str) -> None:
    answer = log_in(email, "wrong-password")
    assert answer.status_code == 401
    assert answer.json()["code"] == "bad_credentials"


def test_inactive_person_cannot_log_in(aurora: House) -> None:
    aurora.owner.user.is_active = False
    aurora.owner.user.save()
    assert log_in().status_code == 401


def test_guessing_is_stopped_for_the_right_password_too(aurora: House) -> None:
    answers = [log_in(password=f"guess-{number}") for number in range(5)]
    assert [answer.status_code for answer in answers] == [401] * 5
    stopped = log_in()
    assert stopped.status_code == 429
    assert stopped.json()["code"] == "too_many_attempts"
    assert int(stopped["Retry-After"]) > 0


def test_guessing_over_many_accounts_is_stopped(aurora: House) -> None:
    answers = [log_in(f"person{number}@aurora.example").status_code for number in range(25)]
    assert answers[-1] == 429


def test_guesses_on_the_page_and_at_the_api_are_counted_together(aurora: House) -> None:
    for number in range(5):
        Client().post("/accounts/login/", {"login": EMAIL, "password": f"guess-{number}"})
    assert log_in().status_code == 429


def test_guesses_under_many_host_names_are_counted_together(aurora: House) -> None:
    for number in range(5):
        body = {"email": EMAIL, "password": "wrong-guess"}
        Api().post("/v1/auth/token", body, Host=f"{'LocalHost' if number % 2 else 'testserver'}:{8000 + number}")
    assert log_in().status_code == 429


def test_log_in_with_a_second_factor_forgives_no_other_guesses(aurora: House, second_factor: str) -> None:
    for number in range(19):
        log_in(f"person{number}@aurora.example")
    assert log_in(code=current_code(second_factor)).status_code == 201
    assert [log_in(f"other{number}@aurora.example").status_code for number in range(2)][-1] == 429


def test_guess_at_a_refresh_token_ends_nobodys_session(aurora: House) -> None:
    tokens = log_in().json()
    session_id = tokens["refresh"].partition(".")[0]
    assert Api().post("/v1/auth/refresh", {"refresh": f"{session_id}.guess"}).status_code == 401
    assert Api().post("/v1/auth/refresh", {"refresh": tokens["refresh"]}).status_code == 200


def test_new_password_ends_every_session_for_programs(aurora: House) -> None:
    tokens = log_in().json()
    user = aurora.owner.user
    user.set_password("outra-senha-longa")
    user.save()
    assert bearer(tokens["access"]).get("/v1/me").status_code == 401
    assert Api().post("/v1/auth/refresh", {"refresh": tokens["refresh"]}).status_code == 401


def test_closed_account_stays_out_when_it_is_opened_again(aurora: House) -> None:
    tokens = log_in().json()
    user = aurora.owner.user
    for is_active in (False, True):
        user.is_active = is_active
        user.save()
    assert bearer(tokens["access"]).get("/v1/me").status_code == 401


def test_failed_authentication_is_limited_too(aurora: House, settings: Settings) -> None:
    settings.API_RATE_PER_SECOND, settings.API_BURST = 1, 3
    assert [bearer("x.y.z").get("/v1/me").status_code for _ in range(4)] == [401, 401, 401, 429]


def test_person_of_two_organizations_says_which(aurora: House, boreal: House) -> None:
    add_member(boreal.organization, EMAIL, Role.VIEWER)
    first = log_in().json()
    assert bearer(first["access"]).get("/v1/me").json()["organization"]["slug"] == "aurora"
    tokens = log_in(organization_id=str(boreal.organization.id)).json()
    assert bearer(tokens["access"]).get("/v1/me").json()["role"] == "viewer"


def test_organization_one_does_not_belong_to_does_not_exist(aurora: House, boreal: House) -> None:
    assert log_in(organization_id=str(boreal.organization.id)).status_code == 404


def test_person_without_organization_gets_no_token(aurora: House) -> None:
    aurora.owner.delete()
    assert log_in().json()["code"] == "no_membership"


def test_refresh_brings_a_new_pair(aurora: House) -> None:
    first = log_in().json()
    second = Api().post("/v1/auth/refresh", {"refresh": first["refresh"]}).json()
    assert second["refresh"] != first["refresh"]
    assert bearer(second["access"]).get("/v1/me").status_code == 200


def test_stolen_refresh_token_ends_the_session_for_everybody(aurora: House) -> None:
    first = log_in().json()
    second = Api().post("/v1/auth/refresh", {"refresh": first["refresh"]}).json()
    reused = Api().post("/v1/auth/refresh", {"refresh": first["refresh"]})
    assert reused.status_code == 401
    assert reused.json()["code"] == "session_ended"
    assert Api().post("/v1/auth/refresh", {"refresh": second["refresh"]}).status_code == 401
    assert bearer(second["access"]).get("/v1/me").status_code == 401


@pytest.mark.parametrize("token", ["x", "", ".", f"{'0' * 32}.x", "é.x"])
def test_unknown_refresh_token_is_refused(aurora: House, token: str) -> None:
    assert Api().post("/v1/auth/refresh", {"refresh": token}).status_code in {400, 401}


def test_expired_session_cannot_be_refreshed(aurora: House) -> None:
    refresh = log_in().json()["refresh"]
    Session.across_organizations.update(expires_at=clock.now())
    assert Api().post("/v1/auth/refresh", {"refresh": refresh}).status_code == 401


def test_log_out_ends_both_tokens(aurora: House) -> None:
    tokens = log_in().json()
    assert bearer(tokens["access"]).post("/v1/auth/logout").status_code == 204
    assert bearer(tokens["access"]).get("/v1/me").status_code == 401
    assert Api().post("/v1/auth/refresh", {"refresh": tokens["refresh"]}).status_code == 401


def test_removed_member_is_out_with_the_next_request(aurora: House, owner: Api) -> None:
    tokens = log_in("agent@aurora.example").json()
    assert owner.delete(f"/v1/members/{aurora.agent.id}").status_code == 204
    assert bearer(tokens["access"]).get("/v1/me").status_code == 401
    assert Api().post("/v1/auth/refresh", {"refresh": tokens["refresh"]}).status_code == 401


def test_refresh_tokens_are_stored_as_digests_only(aurora: House) -> None:
    refresh = log_in().json()["refresh"]
    assert refresh.partition(".")[2] not in str(Session.across_organizations.values().get())


def forged(**changes: Any) -> str:
    claims = {
        "aud": "recado", "iat": clock.now(), "exp": clock.now() + timedelta(minutes=5), "user_id": str(new_id()),
        "organization_id": str(new_id()), "session_id": str(new_id()),
    } | changes  # fmt: skip
    present = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(present, "0" * 64, "HS256", headers={"kid": "test"})


@pytest.mark.parametrize(
    "token",
    [
        forged(exp=clock.now() - timedelta(seconds=1)),
        forged(exp=None),
        forged(aud="other"),
        forged(aud=None),
        forged(user_id="nobody"),
        forged(user_id=7),
        forged(session_id=None),
        jwt.encode({"user_id": "x"}, "", "none", headers={"kid": "test"}),
        jwt.encode({"user_id": "x"}, "k" * 64, "HS256", headers={"kid": "test"}),
        jwt.encode({"user_id": "x"}, "0" * 64, "HS256", headers={"kid": "unknown"}),
        jwt.encode({"user_id": "x"}, "0" * 64, "HS256"),
        jwt.encode({"user_id": "x"}, "0" * 64, "HS512", headers={"kid": "test"}),
        "a.b.c",
        "x",
    ],
    ids=[
        "expired", "without expiry", "for others", "for nobody", "user is no id", "user is a number",
        "without session", "unsigned", "wrong key", "unknown key", "unnamed key", "other algorithm", "not JSON",
        "no token",
    ],
)  # fmt: skip
def test_forged_access_token_is_refused(token: str) -> None:
    with pytest.raises(InvalidToken):
        read_access_token(token)
    assert bearer(token).get("/v1/me").json()["code"] == "invalid_token"


def test_well_signed_token_for_nobody_is_refused(aurora: House) -> None:
    assert bearer(forged()).get("/v1/me").status_code == 401


def test_token_of_one_organization_does_not_open_another(aurora: House, boreal: House) -> None:
    session = log_in() and Session.across_organizations.get()
    token = issue_access_token(aurora.owner.user_id, boreal.organization.id, session.id)
    assert bearer(token).get("/v1/me").status_code == 401


def test_tokens_live_on_while_the_signing_key_changes(aurora: House, settings: Settings) -> None:
    old = log_in().json()["access"]
    settings.JWT_SIGNING_KEYS = {"next": "1" * 64, **settings.JWT_SIGNING_KEYS}
    assert bearer(old).get("/v1/me").status_code == 200
    assert jwt.get_unverified_header(log_in().json()["access"])["kid"] == "next"
    settings.JWT_SIGNING_KEYS = {"next": "1" * 64}
    assert bearer(old).get("/v1/me").status_code == 401


def current_code(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time())))))


@pytest.fixture
def second_factor(aurora: House) -> str:
    secret = "JBSWY3DPEHPK3PXP"
    TOTP.activate(aurora.owner.user, secret)
    return secret


def test_second_factor_is_asked_for_and_accepted_once(aurora: House, second_factor: str) -> None:
    assert log_in().json()["code"] == "mfa_required"
    code = current_code(second_factor)
    assert log_in(code=code).status_code == 201
    assert log_in(code=code).json()["code"] == "bad_mfa_code"


def test_guessing_the_second_factor_is_stopped(aurora: House, second_factor: str) -> None:
    answers = [log_in(code="000000").json()["code"] for _ in range(6)]
    assert answers[-1] == "too_many_attempts"
    assert log_in(code=current_code(second_factor)).status_code == 429


def test_recovery_code_stands_in_for_a_lost_second_factor(aurora: House, second_factor: str) -> None:
    code = RecoveryCodes.activate(aurora.owner.user).get_unused_codes()[0]
    assert log_in(code=code).status_code == 201
    assert log_in(code=code).status_code == 401


def test_second_factor_is_encrypted_at_rest(aurora: House, second_factor: str) -> None:
    assert second_factor not in str(Authenticator.objects.values_list("data", flat=True))

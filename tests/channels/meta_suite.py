"""What holds for the connectors of Meta's products."""

import hashlib
import hmac
from collections.abc import Mapping

import pytest

from tests.channels.connector_suite import ConnectorSuite

ASKED = {"hub.mode": "subscribe", "hub.verify_token": "the token", "hub.challenge": "1158201444"}


class MetaSuite(ConnectorSuite):
    def signed(self, body: bytes, credentials: Mapping[str, str]) -> dict[str, str]:
        digest = hmac.new(credentials["app_secret"].encode(), body, hashlib.sha256).hexdigest()
        return {"X-Hub-Signature-256": f"sha256={digest}"}

    def refusal_quoting(self, words: str) -> bytes:
        return b'{"error": {"code": 190, "message": "%s"}}' % words.encode()

    def test_question_whose_address_this_is_is_answered_with_its_challenge(self) -> None:
        assert self.connector().challenge(ASKED) == ("the token", "1158201444")
        token = {each.name: each for each in self.connector().credentials}[self.connector().challenge_credential]
        assert token.is_secret
        assert not token.is_required

    @pytest.mark.parametrize(
        "changes",
        [
            {"hub.mode": "unsubscribe"},
            {"hub.mode": ""},
            {"hub.verify_token": ""},
            {"hub.challenge": ""},
            {"hub.challenge": "1\n2"},
            {"hub.challenge": "é"},
            {"hub.challenge": "1" * 201},
        ],
    )
    def test_question_that_meta_never_asks_is_not_answered(self, changes: dict[str, str]) -> None:
        assert self.connector().challenge(ASKED | changes) is None
        assert self.connector().challenge({name: ASKED[name] for name in ASKED.keys() - changes.keys()}) is None

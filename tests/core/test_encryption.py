import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.encryption import Keyring, UnreadableSecret, generate_key

OLD, NEW = generate_key(), generate_key()


@given(st.text())
def test_secret_comes_back_as_it_was(text: str) -> None:
    ring = Keyring({"new": NEW})
    assert ring.decrypt(ring.encrypt(text)) == text


def test_secret_is_readable_after_its_key_was_succeeded() -> None:
    stored = Keyring({"old": OLD}).encrypt("segredo")
    ring = Keyring({"new": NEW, "old": OLD})
    assert ring.decrypt(stored) == "segredo"
    assert stored.startswith("old:")
    assert ring.renew(stored).startswith("new:")


def test_secret_whose_key_is_gone_says_which_key_is_missing() -> None:
    stored = Keyring({"old": OLD}).encrypt("segredo")
    with pytest.raises(UnreadableSecret, match="'old'"):
        Keyring({"new": NEW}).decrypt(stored)


def test_altered_secret_is_refused() -> None:
    ring = Keyring({"new": NEW})
    stored = ring.encrypt("segredo")
    with pytest.raises(UnreadableSecret, match="altered"):
        ring.decrypt(stored[:-4] + "AAAA")


def test_equal_secrets_look_different_at_rest() -> None:
    ring = Keyring({"new": NEW})
    assert ring.encrypt("segredo") != ring.encrypt("segredo")

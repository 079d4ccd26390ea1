import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.encryption import Keyring, UnreadableSecret, generate_key

OLD, NEW = generate_key(), generate_key()


@given(st.text())
def test_secret_comes_back_as_it_was(text: str) -> None:
    ring = Keyring.parse([f"new:{NEW}"])
    assert ring.decrypt(ring.encrypt(text)) == text


def test_secret_is_readable_after_its_key_was_succeeded() -> None:
    stored = Keyring.parse([f"old:{OLD}"]).encrypt("segredo")
    ring = Keyring.parse([f"new:{NEW}", f"old:{OLD}"])
    assert ring.decrypt(stored) == "segredo"
    assert not ring.is_current(stored)
    assert ring.is_current(ring.renew(stored))


def test_secret_whose_key_is_gone_says_which_key_is_missing() -> None:
    stored = Keyring.parse([f"old:{OLD}"]).encrypt("segredo")
    with pytest.raises(UnreadableSecret, match="'old'"):
        Keyring.parse([f"new:{NEW}"]).decrypt(stored)


def test_altered_secret_is_refused() -> None:
    ring = Keyring.parse([f"new:{NEW}"])
    stored = ring.encrypt("segredo")
    with pytest.raises(UnreadableSecret, match="altered"):
        ring.decrypt(stored[:-4] + "AAAA")


def test_equal_secrets_look_different_at_rest() -> None:
    ring = Keyring.parse([f"new:{NEW}"])
    assert ring.encrypt("segredo") != ring.encrypt("segredo")


@pytest.mark.parametrize(
    "entries",
    [[], ["nokey"], [f":{NEW}"], ["short:abc"], [f"same:{NEW}", f"same:{OLD}"]],
    ids=["none", "unnamed", "no name", "no key", "same name"],
)
def test_unusable_keys_are_refused(entries: list[str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Keyring.parse(entries)

from io import StringIO
from pathlib import Path

from django.core.management import call_command
from pytest_django import Settings

from apps.core import checks
from apps.core.encryption import Keyring


def test_untranslated_installation_is_noticed(tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "pt_BR" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text("")
    settings.LOCALE_PATHS = [tmp_path]
    (warning,) = checks.translations_are_compiled()
    assert warning.id == "recado.W001"
    assert "pt_BR" in warning.msg
    (folder / "django.mo").write_text("")
    assert checks.translations_are_compiled() == []


def test_generated_key_can_be_used_as_it_is() -> None:
    out = StringIO()
    call_command("generate_encryption_key", stdout=out)
    name, _, key = out.getvalue().strip().partition(":")
    ring = Keyring({name: key})
    assert ring.decrypt(ring.encrypt("segredo")) == "segredo"

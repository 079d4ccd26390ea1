"""Rules for every connector there is and will be: the list is read from the folder, so it grows by itself."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.conf import settings

from apps.channels import connectors, registry
from apps.channels.connector import CalledAt, Connector
from apps.channels.http_connector import HttpConnector
from apps.channels.models import ChannelAccount
from tests.cast import CREDENTIALS
from tests.channels.connector_suite import ConnectorSuite

FILES = {path.stem for path in Path(str(connectors.__path__[0])).glob("*.py")} - {"__init__"}


def suite_of(name: str) -> type[ConnectorSuite] | None:
    module = import_module(f"tests.channels.test_{name}")
    suites = [
        each for each in vars(module).values() if isinstance(each, type) and issubclass(each, ConnectorSuite)
    ]
    return next((each for each in suites if each is not ConnectorSuite), None)


def test_every_file_is_a_connector_of_that_name() -> None:
    assert set(registry.NAMES) == FILES
    assert len(FILES) >= 2
    assert all(name == name.lower() for name in FILES)
    longest = ChannelAccount._meta.get_field("connector").max_length
    assert longest
    assert max(map(len, FILES)) <= longest


@pytest.mark.parametrize("name", registry.NAMES)
def test_connector_says_what_it_needs_and_what_it_can(name: str) -> None:
    kind = registry.connector_class(name)
    assert issubclass(kind, Connector)
    assert kind.label
    assert kind.capabilities.longest_text > 0
    assert kind.limits.account.rate > 0
    fields = {each.name: each for each in kind.credentials}
    assert len(fields) == len(kind.credentials) > 0
    assert all(str(each.hint).endswith(".") for each in fields.values())
    assert any(each.is_secret for each in fields.values())
    assert kind.provider_account or kind.called_at is not CalledAt.CONNECTOR
    if kind.provider_account:
        # It is looked up by callbacks, kept in the clear and shown: an id, checked as one.
        assert not fields[kind.provider_account].is_secret
        assert kind.provider_account.endswith("_id")
    assert {name for name, each in fields.items() if each.is_required} <= set(CREDENTIALS[name]) <= set(fields)


@pytest.mark.parametrize("name", settings.CONNECTOR_URLS)
def test_connector_has_an_address_that_a_setting_moves(name: str) -> None:
    assert registry.connector(name).base_url == settings.CONNECTOR_URLS[name].rstrip("/")
    assert settings.CONNECTOR_URLS[name].startswith("https://")


def test_every_address_is_of_a_connector() -> None:
    assert set(settings.CONNECTOR_URLS) <= set(registry.NAMES)


OVER_HTTP = [name for name in registry.NAMES if issubclass(registry.connector_class(name), HttpConnector)]


@pytest.mark.parametrize("name", sorted(set(registry.NAMES) - set(OVER_HTTP)))
def test_connector_of_another_kind_has_tests_of_its_own(name: str) -> None:
    assert find_spec(f"tests.channels.test_{name}")


@pytest.mark.parametrize("name", OVER_HTTP)
def test_connector_passes_the_suite(name: str) -> None:
    suite = suite_of(name)
    assert suite is not None, f"derive a class from ConnectorSuite in tests/channels/test_{name}.py"
    assert suite.name == name
    assert suite.__name__.startswith("Test")
    assert len(suite.refusals) > 5
    assert suite.callbacks

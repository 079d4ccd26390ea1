from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from project.env import Env


def problems(env: Env) -> str:
    with pytest.raises(ImproperlyConfigured) as caught:
        env.check()
    return str(caught.value)


def test_all_missing_variables_are_named_at_once() -> None:
    env = Env({})
    env.text("SECRET_KEY", hint="50 random characters")
    env.url("DATABASE_URL", schemes=("postgres",))
    text = problems(env)
    assert "SECRET_KEY is missing. Set it (or SECRET_KEY_FILE): 50 random characters" in text
    assert "DATABASE_URL is missing" in text


@pytest.mark.parametrize(
    ("read", "value"),
    [("integer", "many"), ("integer", "-1"), ("flag", "perhaps"), ("url", "mysql://db"), ("url", "postgres:///x")],
)
def test_bad_value_is_named_but_not_shown(read: str, value: str) -> None:
    env = Env({"SETTING": value})
    if read == "url":
        env.url("SETTING", schemes=("postgres",))
    else:
        getattr(env, read)("SETTING")
    text = problems(env)
    assert "SETTING cannot be read" in text
    assert value not in text


def test_values_are_typed() -> None:
    env = Env({"N": "5", "ON": "Yes", "OFF": "0", "LIST": "a, b,,c", "URL": "postgres://me:p%40ss@db:6543/data"})
    assert env.integer("N") == 5
    assert env.flag("ON") is True
    assert env.flag("OFF") is False
    assert env.words("LIST") == ["a", "b", "c"]
    url = env.url("URL", schemes=("postgres",))
    assert (url.username, url.password, url.host, url.port, url.path) == ("me", "p@ss", "db", 6543, "data")
    env.check()


def test_defaults_fill_in_for_missing_and_empty_variables() -> None:
    env = Env({"EMPTY": ""})
    assert env.text("EMPTY", "x") == "x"
    assert env.integer("N", 3) == 3
    assert env.flag("F", False) is False
    assert env.words("W", []) == []
    env.check()


def test_secret_is_read_from_the_file_that_holds_it(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from the file\n")
    env = Env({"SECRET_KEY_FILE": str(tmp_path / "key")})
    assert env.text("SECRET_KEY") == "from the file"
    env.check()


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    env = Env({"SECRET_KEY_FILE": str(tmp_path / "nothing")})
    env.text("SECRET_KEY")
    assert "SECRET_KEY_FILE names" in problems(env)


@pytest.mark.parametrize("value", ["nokey", ":key-key-key", "short:abc", "a:key-key-key,a:key-key-yek", ","])
def test_unusable_keys_are_refused_at_the_start(value: str) -> None:
    env = Env({"KEYS": value})
    env.named_keys("KEYS", is_valid=lambda key: len(key) > 8)
    assert "KEYS cannot be read" in problems(env)


def test_named_keys_keep_their_order() -> None:
    env = Env({"KEYS": "new:key-key-1, old:key-key-2"})
    assert list(env.named_keys("KEYS", is_valid=bool).items()) == [("new", "key-key-1"), ("old", "key-key-2")]


def test_too_short_secret_is_refused() -> None:
    env = Env({"SECRET_KEY": "x"})
    env.text("SECRET_KEY", least=50)
    assert "SECRET_KEY cannot be read" in problems(env)


def test_unknown_choice_is_refused() -> None:
    env = Env({"LOG_STYLE": "pretty"})
    env.choice("LOG_STYLE", "json", among=("json", "console"))
    assert "It must be json or console" in problems(env)


def test_options_behind_the_database_url_are_kept() -> None:
    env = Env({"DATABASE_URL": "postgres://db/x?sslmode=verify-full"})
    assert env.url("DATABASE_URL", schemes=("postgres",)).query == {"sslmode": "verify-full"}


def test_variable_and_file_together_are_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("b")
    env = Env({"SECRET_KEY": "a", "SECRET_KEY_FILE": str(tmp_path / "key")})
    env.text("SECRET_KEY")
    assert "both set" in problems(env)

"""What ConfigMaps and Secrets hold is what the settings ask for: all of it, and nothing else."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping

import pytest
import yaml
from cryptography.fernet import Fernet

from local.places import ROOT
from tests.deployment.kubernetes import K8S, Manifests, Pod

# Reads which variables the settings ask for, and what Django says about them.
START = """
import json
from project.env import env
asked, raw = set(), env._raw
env._raw = lambda name: asked.add(name) or raw(name)
import django
from django.core.management import call_command
django.setup()
call_command("check", *{options}, fail_level="WARNING", verbosity=0)
print(json.dumps(sorted(asked)))
"""
# By Django itself; and by whoever plays providers in a demo.
READ_BY_OTHERS = {"DJANGO_SETTINGS_MODULE", "SIMULATORS_APP_SECRET"}


@pytest.fixture(scope="module")
def asked_in_production(rendered: dict[str, Manifests]) -> set[str]:
    """What the settings ask for, started with what web is given, which passes Django's check for deployments."""
    production = rendered["production"]
    return start(production.environment(production.pods_of("web"), filled_in()), "--deploy")


@pytest.mark.parametrize("name", ["web", "backup"])
def test_production_settings_read_all_that_they_are_given(
    production: Manifests, asked_in_production: set[str], name: str
) -> None:
    given = production.environment(production.pods_of(name), filled_in())
    assert given["DJANGO_SETTINGS_MODULE"] == "project.settings.production"
    # No pod has a disk that the others see.
    assert given["S3_BUCKET"]
    assert set(given) - asked_in_production - READ_BY_OTHERS == set()


def test_demo_settings_take_all_that_they_are_given_and_miss_nothing(rendered: dict[str, Manifests]) -> None:
    demo = rendered["demo"]
    web, seed = (demo.environment(demo.pods_of(name), decoded(demo)) for name in ("web", "seed"))
    assert set(seed) - start(web) - READ_BY_OTHERS == set()


def test_all_processes_of_ours_are_told_the_same(manifests: Manifests) -> None:
    told: dict[str, list[object]] = {
        pod.name: pod.spec["containers"][0]["envFrom"]
        for pod in manifests.pods
        if pod.is_ours and of_the_base(pod)
    }
    assert len({json.dumps(each) for each in told.values()}) == 1
    assert {"web", "grpc", "beat", "flower", "migrate", "worker-sms"} <= told.keys()


def test_every_key_of_a_secret_that_is_asked_for_is_in_the_template(rendered: dict[str, Manifests]) -> None:
    template = filled_in()
    for overlay, manifests in rendered.items():
        if overlay == "demo":
            continue
        for pod in manifests.pods:
            for variable in pod.spec["containers"][0].get("env", []):
                wanted = variable.get("valueFrom", {}).get("secretKeyRef")
                assert wanted is None or wanted["key"] in template[wanted["name"]], (
                    f"{pod.name}: {variable['name']}"
                )


def test_demo_makes_every_secret_anew(rendered: dict[str, Manifests]) -> None:
    passwords = decoded(rendered["demo"])
    flat = {value for values in passwords.values() for value in values.values()}
    assert len(flat) == sum(map(len, passwords.values()))
    (of_recado,) = [values for values in passwords.values() if "DATABASE_URL" in values]
    (of_postgres,) = [values for values in passwords.values() if "POSTGRES_PASSWORD" in values]
    assert f":{of_postgres['POSTGRES_PASSWORD']}@postgres:5432/" in of_recado["DATABASE_URL"]


def of_the_base(pod: Pod) -> bool:
    return pod.component not in {"backup", "seed"}


def start(given: Mapping[str, str], *options: str) -> set[str]:
    bare = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", START.format(options=list(options))],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        env=bare | dict(given),
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def filled_in() -> dict[str, dict[str, str]]:
    """The template, as somebody would fill it in."""
    key = Fernet.generate_key().decode()
    good = {"ENCRYPTION_KEYS": f"current:{key}", "SECRET_KEY": key * 2}
    return {
        each["metadata"]["name"].removesuffix("-REPLACE_ME"): {
            name: good.get(name, value.replace("REPLACE_ME", key.rstrip("=")))
            for name, value in each["stringData"].items()
        }
        for each in yaml.safe_load_all((K8S / "base" / "secrets.yaml").read_text())
    }


def decoded(manifests: Manifests) -> dict[str, dict[str, str]]:
    return {
        each["metadata"]["name"]: {name: base64.b64decode(value).decode() for name, value in each["data"].items()}
        for each in manifests.of("Secret")
    }

"""What docker-compose.yml promises: all of it runs, agrees with the code, and is open to nobody by accident."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from apps.channels.registry import NAMES, queue_of
from celery_app import QUEUES
from tests.deployment.compose import (
    PROFILES,
    REQUIRED,
    ROOT,
    Service,
    config,
    of_recado,
    rendered,
    variables,
    with_side_door,
)

READS = re.compile(
    r'env\.(?:text|integer|flag|words|networks|address|url|named_keys|choice|ratio)\(\s*"([A-Z0-9_]+)"'
)
SETTINGS = {
    name for file in (ROOT / "project" / "settings").glob("*.py") for name in READS.findall(file.read_text())
}
# What the image says, what this file decides, or what only other settings know.
NOT_PASSED_ON = {"DEBUG", "FILES_FOLDER", "MAIL_FOLDER", "RELEASE", "S3_ADDRESSING", "S3_REGION"}
SIDE_DOOR = "http://127.0.0.1:9464/healthz"
HEALTHCHECK = ["CMD", "python", "/app/project/healthcheck.py"]


@pytest.mark.parametrize("profile", ["", *PROFILES])
def test_every_profile_renders_without_a_word_of_warning(env_file: Path, profile: str) -> None:
    made = rendered(env_file, *filter(None, [profile]))
    assert made["services"]


def test_every_variable_that_is_missing_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    ran = config(tmp_path / "empty")
    assert ran.returncode != 0
    assert len(REQUIRED) >= 12
    for name in REQUIRED:
        assert f'required variable {name} is missing a value: run "make compose-env"' in ran.stderr


def test_every_queue_is_served_by_exactly_one_worker(services: dict[str, Service]) -> None:
    served = [
        queue
        for service in of_recado(services).values()
        if "--queues" in (command := service["command"])
        for queue in command[command.index("--queues") + 1].split(",")
    ]
    assert sorted(served) == sorted(QUEUES)


def test_workers_are_called_after_what_they_serve(services: dict[str, Service]) -> None:
    queues = {f"worker-{name.replace('_', '-')}": queue_of(name) for name in NAMES}
    queues |= {f"worker-{name}": name for name in QUEUES if "." not in name}
    assert {name for name in services if name.startswith("worker-")} == set(queues)
    for name, queue in queues.items():
        command = services[name]["command"]
        assert command[:6] == ["celery", "--app", "celery_app", "worker", "--queues", queue]
        assert command[command.index("--hostname") + 1] == f"{name}@%h"


def test_commands_start_what_is_there(services: dict[str, Service]) -> None:
    # Of an app that only the demo has.
    seeds = dict.fromkeys(path.stem for path in (ROOT / "local" / "management" / "commands").glob("*.py"))
    for name, service in of_recado(services).items():
        command = service["command"]
        if command[:2] == ["python", "-m"]:
            assert find_spec(command[2]) is not None, name
        elif command[:2] == ["python", "manage.py"]:
            assert command[2] in get_commands() | seeds, name
        else:
            assert command[:3] == ["celery", "--app", "celery_app"], name


def test_health_is_asked_where_each_process_answers(services: dict[str, Service]) -> None:
    elsewhere = {
        "web": "http://127.0.0.1:8000/readyz",
        "grpc": "grpc://127.0.0.1:50051",
        "flower": "http://127.0.0.1:5555/admin/flower/healthcheck",
        "simulators": "http://127.0.0.1:8090/control/healthz",
    }
    for name in with_side_door(services) | set(elsewhere):
        service = services[name]
        address = elsewhere.get(name, SIDE_DOOR)
        assert service["healthcheck"]["test"] == [*HEALTHCHECK, address], name
        port = address.split(":")[2].split("/")[0]
        listens = " ".join(service["command"]).replace("=", " ") + f" {variables(service).get('INTERNAL_ADDRESS')}"
        assert re.search(rf"(--port |:){port}\b", listens), name


def test_processes_are_given_only_what_settings_read(services: dict[str, Service]) -> None:
    beside = {"DJANGO_SETTINGS_MODULE"}
    for name, service in of_recado(services).items():
        # The seed signs what the simulators check.
        known = SETTINGS | beside | ({"SIMULATORS_APP_SECRET"} if name == "seed" else set())
        assert set(service.get("environment", {})) <= known, name


def test_every_setting_can_be_said(services: dict[str, Service]) -> None:
    of_backups = {name for name in SETTINGS if name.startswith("BACKUP_")}
    assert set(services["web"]["environment"]) >= SETTINGS - NOT_PASSED_ON - of_backups
    assert set(services["backup"]["environment"]) >= of_backups


def test_whatever_runs_is_confined(services: dict[str, Service]) -> None:
    for name, service in services.items():
        assert service.get("read_only") is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "cap_add" not in service, name
        assert not service.get("privileged"), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory", "pids"} <= set(limits), name


def test_images_of_others_are_named_by_exact_version(services: dict[str, Service]) -> None:
    others = {service["image"] for name, service in services.items() if name not in of_recado(services)}
    assert others
    for image in others:
        repository, _, tag = image.partition(":")
        assert re.search(r"\d+[.-]\d+", tag), image
        # Of Docker Hub, by its short name.
        assert "." not in repository.partition("/")[0], image


def test_nothing_is_published_but_what_people_open_and_only_to_this_machine(services: dict[str, Service]) -> None:
    published = {
        name: [(port["host_ip"], port["target"]) for port in service["ports"]]
        for name, service in services.items()
        if service.get("ports")
    }
    assert published == {
        "web": [("127.0.0.1", 8000)],
        "grpc": [("127.0.0.1", 50051)],
        # Browsers bring and fetch files there.
        "minio": [("127.0.0.1", 9000)],
        "simulators": [("127.0.0.1", 8090)],
        "mailpit": [("127.0.0.1", 8025)],
        "grafana": [("127.0.0.1", 3000)],
        "jaeger": [("127.0.0.1", 16686)],
    }


def test_data_is_reached_on_a_network_of_its_own(whole: dict[str, Any], services: dict[str, Service]) -> None:
    internal = {name for name, network in whole["networks"].items() if network.get("internal")}
    assert internal == {"data", "inside"}
    for name in ("postgres", "redis"):
        assert set(services[name]["networks"]) == {"data"}
    for name in (
        "flower",
        "prometheus",
        "postgres-exporter",
        "redis-exporter",
        "celery-exporter",
        "node-exporter",
    ):
        assert set(services[name]["networks"]) <= internal, name


def test_services_wait_for_what_they_need(services: dict[str, Service]) -> None:
    for name in with_side_door(services):
        waits = {needed: how["condition"] for needed, how in services[name]["depends_on"].items()}
        assert waits == {
            "migrate": "service_completed_successfully",
            "bucket": "service_completed_successfully",
            "redis": "service_healthy",
        }, name
    for name, service in services.items():
        for needed, how in (service.get("depends_on") or {}).items():
            is_asked = bool((services[needed].get("healthcheck") or {}).get("test"))
            assert is_asked or how["condition"] != "service_healthy", (name, needed)


def test_valkey_keeps_what_it_is_given(services: dict[str, Service]) -> None:
    command = " ".join(services["redis"]["command"])
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command
    assert "requirepass" in command


def test_no_secret_stands_in_the_file(services: dict[str, Service]) -> None:
    """Outside the demo: a password is a variable that must be given."""
    written = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    secret = re.compile(r"KEY|PASS|SECRET|TOKEN|AUTH\b")
    # A name and not a secret, and two switches of the demo's mailbox.
    known = {"S3_ACCESS_KEY", "MP_SMTP_AUTH_ACCEPT_ANY", "MP_SMTP_AUTH_ALLOW_INSECURE"}
    for name, service in written.items():
        if "demo" in service.get("profiles", []):
            continue
        for variable, value in (service.get("environment") or {}).items():
            if isinstance(value, str) and secret.search(variable) and variable not in known:
                assert ":?" in value, (name, variable)

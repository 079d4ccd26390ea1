"""The same images, commands and versions here as in docker-compose.yml and in the Dockerfile."""

import re
import shlex
from functools import cache

import yaml

from local.places import ROOT
from tests.deployment.kubernetes import Manifests, Object, Pod

DEFAULT = re.compile(r"\$\{\w+(?::-([^}]*))?[^}]*\}")
IMAGE = re.compile(r"[a-z0-9][a-z0-9./_-]*:[A-Za-z0-9][\w.-]*(@sha256:[0-9a-f]{64})?")


@cache
def services() -> dict[str, Object]:
    found: dict[str, Object] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return found


@cache
def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text()


def test_every_process_is_started_as_in_compose(production: Manifests) -> None:
    for pod in of_recado(production):
        service = services()[pod.name]
        container = pod.spec["containers"][0]
        assert without_proxy(container["command"]) == without_proxy(command_of(service)), pod.name
        assert short_name(container["image"]) == short_name(image_of(service)), pod.name


def test_every_process_of_compose_is_here(production: Manifests) -> None:
    ours = {
        name
        for name, service in services().items()
        if is_recado(service) and "demo" not in service.get("profiles", [])
    }
    assert ours == {pod.name for pod in of_recado(production)}


def test_other_programs_have_the_versions_of_compose(manifests: Manifests) -> None:
    known = {repository(image_of(service)): image_of(service) for service in services().values()}
    compared = 0
    for image in {container["image"] for pod in manifests.pods for container in pod.containers}:
        if short_name(image) not in {"recado", "recado-backup"} and repository(image) in known:
            assert image.partition("@")[0] == known[repository(image)].partition("@")[0]
            compared += 1
    assert compared or "postgres" not in {pod.name for pod in manifests.pods}


def test_every_image_has_an_exact_version(manifests: Manifests) -> None:
    for pod in manifests.pods:
        for container in pod.containers:
            assert IMAGE.fullmatch(container["image"]), f"{pod.name}: {container['image']}"
            assert not container["image"].endswith(":latest"), pod.name


def test_image_of_each_process_is_a_target_of_the_dockerfile(production: Manifests) -> None:
    targets = set(re.findall(r"^FROM \S+ AS (\S+)$", dockerfile(), re.MULTILINE))
    for pod in of_recado(production):
        image = short_name(pod.spec["containers"][0]["image"])
        assert {"recado": "runtime", "recado-backup": "backup"}[image] in targets, pod.name


def test_pods_run_as_the_user_of_the_image_and_listen_where_it_says(manifests: Manifests) -> None:
    (user,) = set(re.findall(r"^USER ([1-9]\d*:\d+)$", dockerfile(), re.MULTILINE))
    exposed = {
        int(port) for line in re.findall(r"^EXPOSE (.+)$", dockerfile(), re.MULTILINE) for port in line.split()
    }
    for pod in of_recado(manifests):
        context = pod.spec["securityContext"]
        assert f"{context['runAsUser']}:{context['runAsGroup']}" == user, pod.name
        if pod.name not in {"flower", "simulators"}:
            ports = pod.spec["containers"][0].get("ports", [])
            assert {port["containerPort"] for port in ports} <= exposed, pod.name


def of_recado(manifests: Manifests) -> list[Pod]:
    return [pod for pod in manifests.pods if short_name(pod.spec["containers"][0]["image"]).startswith("recado")]


def is_recado(service: Object) -> bool:
    return "image" in service and short_name(image_of(service)).startswith("recado")


def image_of(service: Object) -> str:
    return DEFAULT.sub(lambda found: found[1] or "", service["image"])


def command_of(service: Object) -> list[str]:
    given = service["command"]
    return shlex.split(DEFAULT.sub("x", given)) if isinstance(given, str) else list(given)


def without_proxy(command: list[str]) -> list[str]:
    """Whom web believes is a matter of the network that it stands in."""
    if "--proxy" not in command:
        return command
    index = command.index("--proxy")
    return command[:index] + command[index + 2 :]


def short_name(image: str) -> str:
    return repository(image).rpartition("/")[2]


def repository(image: str) -> str:
    return image.partition("@")[0].rpartition(":")[0] or image

"""What kustomize makes of k8s/, and how to find one's way in it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from local.places import ROOT

K8S = ROOT / "k8s"
# What an installation may put in the place of another component, or add.
CHOICES = ("managed-stores", "external-secrets", "monitoring", "keda")
STORES = re.compile(r"^  - \.\./\.\./components/(postgres|valkey)$\n", re.MULTILINE)

type Object = dict[str, Any]


@dataclass(frozen=True)
class Pod:
    """A template of pods, by the name of what makes them."""

    kind: str
    name: str
    labels: Mapping[str, str]
    spec: Object

    @property
    def containers(self) -> list[Object]:
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    @property
    def serves(self) -> bool:
        """It goes on until it is told to stop."""
        return self.kind in {"Deployment", "StatefulSet"}

    @property
    def is_ours(self) -> bool:
        return self.labels["app.kubernetes.io/name"] == "recado"

    @property
    def component(self) -> str:
        return self.labels.get("app.kubernetes.io/component", "")


@dataclass(frozen=True)
class Manifests:
    objects: list[Object]

    def of(self, *kinds: str) -> list[Object]:
        return [each for each in self.objects if each["kind"] in kinds]

    def named(self, kind: str, name: str) -> Object:
        (found,) = [each for each in self.of(kind) if each["metadata"]["name"] == name]
        return found

    @cached_property
    def pods(self) -> list[Pod]:
        return list(self._pods())

    def pods_of(self, name: str) -> Pod:
        (found,) = [pod for pod in self.pods if pod.name == name]
        return found

    def _pods(self) -> Iterator[Pod]:
        for each in self.of("Deployment", "StatefulSet", "Job", "CronJob"):
            spec = each["spec"]["jobTemplate"]["spec"] if each["kind"] == "CronJob" else each["spec"]
            template = spec["template"]
            yield Pod(each["kind"], each["metadata"]["name"], template["metadata"]["labels"], template["spec"])

    def environment(self, pod: Pod, secrets: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
        """Of its first container, as Kubernetes would put it together."""
        given: dict[str, str] = {}
        for source in pod.spec["containers"][0].get("envFrom", []):
            if "configMapRef" in source:
                given |= self.named("ConfigMap", source["configMapRef"]["name"])["data"]
            else:
                given |= secrets[source["secretRef"]["name"]]
        return given


def kubectl() -> str:
    """The machine's, else the wheel's beside this Python."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)])
    found = shutil.which("kubectl", path=path)
    if found is None:
        raise AssertionError("There is no kubectl. `make environment` brings one as a wheel.")
    return found


def run(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, **options)


def copy_of_k8s(folder: Path) -> Path:
    """With the secrets of a demo, and an overlay for each choice of production."""
    copy = folder / "k8s"
    shutil.copytree(K8S, copy, ignore=shutil.ignore_patterns("secrets", "secrets.new"))
    made = run(copy / "apply.sh", "--secrets-only", "demo")
    assert made.returncode == 0, made.stderr
    production = (copy / "overlays" / "production" / "kustomization.yaml").read_text()
    for choice in CHOICES:
        overlay = copy / "overlays" / choice
        shutil.copytree(copy / "overlays" / "production", overlay)
        chosen, count = re.subn(rf"  # (- ../../components/{choice})$", r"  \1", production, flags=re.MULTILINE)
        assert count == 1, f"production does not offer {choice}"
        (overlay / "kustomization.yaml").write_text(
            STORES.sub("", chosen) if choice == "managed-stores" else chosen
        )
    return copy


def render(overlay: Path) -> Manifests:
    rendered = run(kubectl(), "kustomize", overlay)
    assert rendered.returncode == 0, rendered.stderr
    return Manifests(list(yaml.load_all(rendered.stdout, yaml.CSafeLoader)))


def matches(selector: Object | None, labels: Mapping[str, str]) -> bool:
    """As Kubernetes reads a LabelSelector: an empty one selects all, none selects nothing."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for wanted in selector.get("matchExpressions", []):
        holds = labels.get(wanted["key"]) in wanted["values"]
        if holds is not {"In": True, "NotIn": False}[wanted["operator"]]:
            return False
    return True

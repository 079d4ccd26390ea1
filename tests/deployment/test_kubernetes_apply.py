"""apply.sh, with a kubectl that writes down what it is asked: real to render, and a cluster that is none."""

import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deployment.kubernetes import kubectl, run

type Apply = Callable[..., tuple[int, str, list[str]]]

# What it applies is written down by kind and name. $CLUSTER/<name> says what a question is answered with.
CLUSTER = r"""#!/bin/sh
case "$1" in --context) echo "context $2" >>"$CLUSTER/asked"; shift 2 ;; esac
[ "$1" != kustomize ] || exec "$REAL" "$@"
echo "$*" >>"$CLUSTER/asked"
case "$*" in
    *--filename*)
        for file in "$@"; do :; done
        awk '/^kind: / { kind = $2 } /^metadata:/ { inside = 1 } /^spec:|^---/ { inside = 0 }
            inside && /^  name: / { print "object " kind "/" $2 }' "$file" >>"$CLUSTER/asked" ;;
    "config current-context") echo a-cluster ;;
    *"get secret"*go-template*) cat "$CLUSTER/secret" ;;
    *"get secret"*) [ -f "$CLUSTER/secret" ] ;;
    *"get job"*) cat "$CLUSTER/job" ;;
    *"get deployment"*) echo deployment.apps/web ;;
    *"get statefulset"*) echo statefulset.apps/postgres ;;
esac
"""


@pytest.fixture
def cluster(tmp_path: Path) -> Path:
    program = tmp_path / "kubectl"
    program.write_text(CLUSTER)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "secret").write_text("something secret\n")
    (tmp_path / "job").write_text("SuccessCriteriaMet Complete ")
    return tmp_path


@pytest.fixture
def apply(k8s: Path, cluster: Path) -> Apply:
    def call(*arguments: str) -> tuple[int, str, list[str]]:
        environment = {"PATH": f"{cluster}:/usr/bin:/bin", "CLUSTER": str(cluster), "REAL": kubectl()}
        done = run(k8s / "apply.sh", *arguments, env=environment, stdin=None)
        asked = cluster / "asked"
        return done.returncode, done.stdout + done.stderr, asked.read_text().splitlines() if asked.exists() else []

    return call


def test_migrations_end_before_anything_new_serves(apply: Apply) -> None:
    code, said, asked = apply("--yes", "demo")
    assert code == 0, said
    order = [
        position(asked, r"object Namespace/recado"),
        position(asked, r"object StatefulSet/postgres"),
        position(asked, r"rollout status statefulset.apps/postgres"),
        position(asked, r"object Job/migrate-\d+"),
        position(asked, r"get job migrate-\d+"),
        position(asked, r"object Deployment/web"),
        position(asked, r"object Job/seed-\d+"),
        position(asked, r"rollout status deployment.apps/web"),
    ]
    assert order == sorted(order)


def test_same_content_is_the_same_job_and_another_content_another(apply: Apply, cluster: Path, k8s: Path) -> None:
    settings = k8s / "overlays" / "demo" / "configmap.yaml"
    before = settings.read_text()
    names = []
    try:
        for change in ("", "", "  LOG_LEVEL: debug\n"):
            (cluster / "asked").unlink(missing_ok=True)
            settings.write_text(before + change)
            _, _, asked = apply("--yes", "demo")
            names.append(asked[position(asked, r"object Job/migrate-\d+")])
    finally:
        settings.write_text(before)
    assert names[0] == names[1] != names[2]


def test_failed_migration_leaves_alone_what_runs(apply: Apply, cluster: Path) -> None:
    (cluster / "job").write_text("FailureTarget Failed ")
    code, said, asked = apply("--yes", "demo")
    assert code == 1
    assert "what runs was left as it was" in said
    assert not [line for line in asked if "object Deployment" in line]
    # The next time it is tried again.
    assert position(asked, r"delete job migrate-\d+")


def test_dry_run_changes_nothing(apply: Apply) -> None:
    code, said, asked = apply("--dry-run", "--context", "kind-recado", "demo")
    assert code == 0, said
    assert "context kind-recado" in asked
    changes = [line for line in asked if re.match(r"(apply|delete|patch|create|rollout)\b", line)]
    assert changes
    assert all(line.startswith("apply --dry-run=") for line in changes)


def test_nothing_is_applied_to_a_cluster_that_nobody_confirmed(apply: Apply) -> None:
    code, said, asked = apply("demo")
    assert code == 1
    assert "a-cluster" in said
    assert not [line for line in asked if line.startswith("apply")]


def test_placeholders_of_an_overlay_are_refused(apply: Apply) -> None:
    code, said, asked = apply("--yes", "production")
    assert code == 1
    assert "recado.example.com" in said
    assert not asked


def test_placeholders_in_a_secret_of_the_cluster_are_refused(apply: Apply, cluster: Path, k8s: Path) -> None:
    mine = k8s / "overlays" / "mine"
    filled_in(k8s, mine)
    (cluster / "secret").write_text("postgres://recado:REPLACE_ME@postgres:5432/recado\n")
    code, said, asked = apply("--yes", str(mine))
    assert code == 1
    assert "still holds placeholders" in said
    assert "REPLACE_ME" not in said
    assert [line for line in asked if line.startswith("object ")] == ["object Namespace/recado"]
    (cluster / "secret").write_text("postgres://recado:something@postgres:5432/recado\n")
    assert apply("--yes", str(mine))[0] == 0


def test_other_kind_of_scaler_goes(apply: Apply, k8s: Path) -> None:
    mine = k8s / "overlays" / "mine-by-backlog"
    filled_in(k8s, mine, of="keda")
    code, said, asked = apply("--yes", str(mine))
    assert code == 0, said
    gone = position(asked, r".*delete horizontalpodautoscaler worker-sms --ignore-not-found")
    assert gone < position(asked, r"object ScaledObject/worker-sms")
    assert position(asked, r".*delete scaledobject.keda.sh worker-events --ignore-not-found")


def test_secrets_of_a_demo_are_made_once_and_for_its_owner(k8s: Path) -> None:
    folder = k8s / "overlays" / "demo" / "secrets"
    before = {path.name: path.read_text() for path in folder.iterdir()}
    assert run(k8s / "apply.sh", "--secrets-only", "demo").returncode == 0
    assert {path.name: path.read_text() for path in folder.iterdir()} == before
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def filled_in(k8s: Path, folder: Path, of: str = "production") -> None:
    folder.mkdir()
    for path in (k8s / "overlays" / of).iterdir():
        text = path.read_text().replace("REPLACE_ME", "mine").replace("example.com", "bakery.test")
        (folder / path.name).write_text(text)


def position(asked: list[str], pattern: str) -> int:
    """Of the first such line, matched from the last words backwards where it begins with options."""
    for index, line in enumerate(asked):
        if re.search(rf"(^|\s){pattern}", line):
            return index
    raise AssertionError(f"{pattern} was not asked:\n" + "\n".join(asked))

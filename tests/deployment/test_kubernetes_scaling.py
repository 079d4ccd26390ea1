"""How many pods there are, who says so, and how many may go at once."""

from collections import Counter

from apps.channels.registry import NAMES, queue_of
from tests.deployment.kubernetes import Manifests, Object, matches
from tests.deployment.test_kubernetes import option, workers

UP = [
    {"type": "Percent", "value": 50, "periodSeconds": 60},
    {"type": "Pods", "value": 2, "periodSeconds": 60},
]
DOWN = [
    {"type": "Percent", "value": 10, "periodSeconds": 60},
    {"type": "Pods", "value": 1, "periodSeconds": 60},
]
BEHAVIOR = {
    "scaleUp": {"selectPolicy": "Max", "policies": UP},
    "scaleDown": {"selectPolicy": "Min", "policies": DOWN, "stabilizationWindowSeconds": 300},
}


def test_scalers_have_the_promised_numbers(production: Manifests) -> None:
    for each in production.of("HorizontalPodAutoscaler"):
        spec = each["spec"]
        assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 20)
        assert {metric["resource"]["name"]: metric["resource"]["target"] for metric in spec["metrics"]} == {
            "cpu": {"type": "Utilization", "averageUtilization": 70},
            "memory": {"type": "Utilization", "averageUtilization": 80},
        }
        assert spec["behavior"] == BEHAVIOR


def test_web_and_every_worker_are_scaled(rendered: dict[str, Manifests]) -> None:
    for overlay in ("production", "keda"):
        manifests = rendered[overlay]
        assert set(scaled(manifests)) == {"web", *(pod.name for pod in workers(manifests))}


def test_no_deployment_has_two_scalers_or_a_number_besides(manifests: Manifests) -> None:
    for name, count in scaled(manifests).items():
        assert count == 1, name
        # Each time it is applied, such a number would undo what the scaler did.
        assert "replicas" not in manifests.named("Deployment", name)["spec"], name


def test_backlog_scales_the_workers_of_its_own_channel(rendered: dict[str, Manifests]) -> None:
    manifests = rendered["keda"]
    objects = manifests.of("ScaledObject")
    assert len(objects) == len(NAMES)
    for each in objects:
        spec = each["spec"]
        queue = option(manifests.pods_of(spec["scaleTargetRef"]["name"]), "--queues")
        (channel,) = [name for name in NAMES if queue_of(name) == queue]
        (trigger,) = spec["triggers"]
        assert trigger["metadata"]["query"] == f'max(recado_oldest_waiting_seconds{{channel="{channel}"}})'
        assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (2, 20)
        assert spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"] == BEHAVIOR


def test_demo_has_one_of_each(rendered: dict[str, Manifests]) -> None:
    manifests = rendered["demo"]
    assert not scaled(manifests)
    assert {each["spec"].get("replicas", 1) for each in manifests.of("Deployment", "StatefulSet")} == {1}


def test_whatever_has_several_pods_loses_one_at_a_time(production: Manifests) -> None:
    several = set(scaled(production)) | {
        each["metadata"]["name"] for each in production.of("Deployment") if each["spec"].get("replicas", 1) > 1
    }
    kept = [kept_by(each, production) for each in production.of("PodDisruptionBudget")]
    assert sorted(kept) == sorted(several)


def kept_by(budget: Object, manifests: Manifests) -> str:
    assert budget["spec"]["maxUnavailable"] == 1
    (pod,) = [pod for pod in manifests.pods if matches(budget["spec"]["selector"], pod.labels)]
    return pod.name


def scaled(manifests: Manifests) -> Counter[str]:
    return Counter(
        each["spec"]["scaleTargetRef"]["name"] for each in manifests.of("HorizontalPodAutoscaler", "ScaledObject")
    )

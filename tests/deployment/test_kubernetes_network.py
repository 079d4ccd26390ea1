"""Who may speak with whom in the cluster, and who with the world."""

import pytest

from tests.deployment.kubernetes import Manifests, matches
from tests.deployment.network import Peer, may_speak

PROVIDER = Peer(address="157.240.1.1")
METADATA = Peer(address="169.254.169.254")
INSIDE = Peer(address="10.1.2.3")
WORLD = (PROVIDER, METADATA, INSIDE)


def test_nobody_speaks_with_anybody_unless_it_is_said(manifests: Manifests) -> None:
    everybody = [each for each in manifests.of("NetworkPolicy") if each["spec"]["podSelector"] == {}]
    (nobody,) = [each for each in everybody if set(each["spec"]) == {"podSelector", "policyTypes"}]
    assert nobody["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_every_policy_is_about_somebody(manifests: Manifests) -> None:
    for policy in manifests.of("NetworkPolicy"):
        selector = policy["spec"]["podSelector"]
        assert any(matches(selector, pod.labels) for pod in manifests.pods), policy["metadata"]["name"]


@pytest.mark.parametrize(
    ("source", "target", "port"),
    [
        ("web", "postgres", 5432),
        ("worker-sms", "postgres", 5432),
        ("migrate", "postgres", 5432),
        ("backup", "postgres", 5432),
        ("beat", "valkey", 6379),
        ("grpc", "valkey", 6379),
        ("flower", "valkey", 6379),
        ("web", "flower", 5555),
    ],
)
def test_processes_reach_what_they_need(production: Manifests, source: str, target: str, port: int) -> None:
    assert may_speak(production, peer(production, source), peer(production, target), port)


@pytest.mark.parametrize(
    ("source", "target", "port"),
    [
        ("worker-sms", "web", 8000),
        ("worker-sms", "flower", 5555),
        ("web", "worker-sms", 9464),
        ("postgres", "valkey", 6379),
        ("web", "postgres", 22),
    ],
)
def test_processes_reach_nothing_else(production: Manifests, source: str, target: str, port: int) -> None:
    assert not may_speak(production, peer(production, source), peer(production, target), port)


def test_the_world_comes_in_by_the_ingress_and_prometheus_by_its_own_door(production: Manifests) -> None:
    ingress, prometheus, stranger = (Peer(namespace=name) for name in ("ingress-nginx", "monitoring", "default"))
    web, grpc, flower = (peer(production, name) for name in ("web", "grpc", "flower"))
    assert may_speak(production, ingress, web, 8000)
    assert may_speak(production, ingress, grpc, 50051)
    assert not may_speak(production, ingress, web, 9464)
    assert not may_speak(production, ingress, flower, 5555)
    for pod in production.pods:
        if pod.kind == "Deployment":
            assert may_speak(
                production, prometheus, Peer(dict(pod.labels)), 5555 if pod.name == "flower" else 9464
            )
        assert not may_speak(production, stranger, Peer(dict(pod.labels)), 9464)
    assert not may_speak(production, prometheus, web, 8000)


def test_whoever_calls_providers_reaches_the_world_and_nothing_inside(production: Manifests) -> None:
    for pod in production.pods:
        me = Peer(dict(pod.labels))
        calls = pod.name in {"web", "backup"} or pod.name.startswith("worker-")
        assert [may_speak(production, me, there, 587) for there in WORLD] == [calls, False, False], pod.name
        tells_sentry = calls or pod.name in {"grpc", "beat"}
        assert may_speak(production, me, PROVIDER, 443) is tells_sentry, pod.name


def test_managed_stores_are_reached_in_private_networks(rendered: dict[str, Manifests]) -> None:
    manifests = rendered["managed-stores"]
    web = peer(manifests, "web")
    assert [may_speak(manifests, web, INSIDE, port) for port in (5432, 6379, 5671, 8080)] == [
        True,
        True,
        True,
        False,
    ]


def test_exporters_reach_what_they_watch(rendered: dict[str, Manifests]) -> None:
    manifests = rendered["monitoring"]
    for exporter, store, port in (
        ("postgres-exporter", "postgres", 5432),
        ("redis-exporter", "valkey", 6379),
        ("celery-exporter", "valkey", 6379),
    ):
        me = peer(manifests, exporter)
        assert may_speak(manifests, me, peer(manifests, store), port)
        (own,) = [port["containerPort"] for port in manifests.pods_of(exporter).spec["containers"][0]["ports"]]
        assert may_speak(manifests, Peer(namespace="monitoring"), me, own)


def test_demo_reaches_its_simulated_providers_and_they_call_back(rendered: dict[str, Manifests]) -> None:
    demo = rendered["demo"]
    worker, web, simulators = (peer(demo, name) for name in ("worker-sms", "web", "simulators"))
    assert may_speak(demo, worker, simulators, 8090)
    assert may_speak(demo, simulators, web, 8000)
    assert may_speak(demo, worker, peer(demo, "mailpit"), 1025)
    assert may_speak(demo, web, peer(demo, "minio"), 9000)
    assert may_speak(demo, peer(demo, "seed"), peer(demo, "postgres"), 5432)
    assert not may_speak(demo, simulators, peer(demo, "postgres"), 5432)


def peer(manifests: Manifests, name: str) -> Peer:
    return Peer(dict(manifests.pods_of(name).labels))

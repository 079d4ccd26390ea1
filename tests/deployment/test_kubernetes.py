"""What k8s/ renders is valid, unprivileged, watched, stops in peace, and shows no secret."""

import inspect
import json
import re

import jsonschema  # type: ignore[import-untyped]
import kubernetes_validate  # type: ignore[import-untyped]
import pytest
from django.conf import settings

import project.web
from apps.messaging.engine.deliver import SLICE_SECONDS
from celery_app import QUEUES, app
from local.places import ROOT
from project.grpc_server import DRAIN_SECONDS
from tests.deployment.custom_resources import schema_of
from tests.deployment.kubernetes import K8S, Manifests, Object, Pod, matches

RESTRICTED = ("enforce", "audit", "warn")
# Until nobody is sent to a pod that is told to go.
UNKNOWN_SECONDS = 5


def test_every_object_is_one_that_kubernetes_takes(rendered: dict[str, Manifests]) -> None:
    # Overlays have most in common, and each is looked at once.
    distinct = {json.dumps(each, sort_keys=True): each for of in rendered.values() for each in of.objects}
    for each in distinct.values():
        schema = schema_of(each["apiVersion"], each["kind"])
        try:
            if schema is None:
                kubernetes_validate.validate(each, "1.37", strict=True)
            else:
                jsonschema.validate(each, schema)
        except (jsonschema.ValidationError, kubernetes_validate.SchemaNotFoundError) as problem:
            pytest.fail(f"{each['kind']} {each['metadata']['name']}: {problem.message}")


def test_everything_lies_in_the_namespace_which_keeps_to_the_restricted_profile(manifests: Manifests) -> None:
    (namespace,) = manifests.of("Namespace")
    assert all(
        namespace["metadata"]["labels"][f"pod-security.kubernetes.io/{mode}"] == "restricted"
        for mode in RESTRICTED
    )
    name = namespace["metadata"]["name"]
    others = [each for each in manifests.objects if each is not namespace]
    assert {each["metadata"].get("namespace") for each in others} == {name}


def test_every_pod_is_unprivileged(manifests: Manifests) -> None:
    for pod in manifests.pods:
        context = pod.spec["securityContext"]
        assert context["runAsNonRoot"] is True, pod.name
        assert context["runAsUser"] > 0, pod.name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, pod.name
        assert pod.spec["automountServiceAccountToken"] is False, pod.name
        # Else Kubernetes sets FLOWER_PORT to tcp://…, and Flower does not start.
        assert pod.spec["enableServiceLinks"] is False, pod.name
        for container in pod.containers:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, pod.name
            mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
            volumes = {volume["name"]: volume for volume in pod.spec["volumes"]}
            assert "sizeLimit" in volumes[mounts["/tmp"]]["emptyDir"], pod.name


def test_every_container_says_what_it_needs_and_how_much_it_may_take(manifests: Manifests) -> None:
    for pod in manifests.pods:
        for container in pod.containers:
            for of in ("requests", "limits"):
                assert {"cpu", "memory"} <= container["resources"][of].keys(), pod.name


def test_every_container_that_serves_is_probed(manifests: Manifests) -> None:
    for pod in manifests.pods:
        for container in pod.spec["containers"] if pod.serves else ():
            ports = {port["name"]: port["containerPort"] for port in container["ports"]}
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                for how in ("httpGet", "tcpSocket"):
                    assert container[probe].get(how, {}).get("port", "") in {"", *ports}, pod.name


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe"])
def test_processes_of_ours_are_restarted_by_their_progress(manifests: Manifests, probe: str) -> None:
    for pod in ours(manifests):
        container = pod.spec["containers"][0]
        asked = container[probe]["httpGet"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        expected = {"web": ("/healthz", 8000), "flower": ("/admin/flower/healthcheck", 5555)}
        assert (asked["path"], ports[asked["port"]]) == expected.get(pod.name, ("/healthz", 9464)), pod.name


def test_what_serves_is_asked_whether_it_can_work(manifests: Manifests) -> None:
    web, grpc = (manifests.pods_of(name).spec["containers"][0] for name in ("web", "grpc"))
    assert web["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert grpc["readinessProbe"]["grpc"] == {"port": 50051}


def test_every_port_is_the_one_that_the_process_listens_on(manifests: Manifests) -> None:
    for pod in ours(manifests):
        container = pod.spec["containers"][0]
        ports = {port["containerPort"] for port in container["ports"]}
        serves = {"web": {8000}, "grpc": {50051}, "flower": {5555}}.get(pod.name, set())
        assert ports == serves | ({9464} if pod.name != "flower" else set()), pod.name
        told = " ".join(container["command"])
        assert all(re.search(rf"--port[ =]{port}\b", told) for port in serves), pod.name
    # The other one is said once, for all of them.
    given = manifests.environment(manifests.pods_of("beat"), no_secrets(manifests))
    assert given["INTERNAL_ADDRESS"] == "0.0.0.0:9464"


def test_every_service_leads_to_a_port_of_a_pod(manifests: Manifests) -> None:
    for service in manifests.of("Service"):
        selector = {"matchLabels": service["spec"]["selector"]}
        (pod,) = [pod for pod in manifests.pods if matches(selector, pod.labels)]
        names = {port["name"] for port in pod.spec["containers"][0]["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= names, service["metadata"]["name"]


def test_every_ingress_leads_to_a_service(manifests: Manifests) -> None:
    for ingress in manifests.of("Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                ports = manifests.named("Service", backend["name"])["spec"]["ports"]
                assert backend["port"]["name"] in {port["name"] for port in ports}, ingress["metadata"]["name"]


def test_browser_comes_back_to_the_same_pod_for_an_hour_and_a_socket_may_live_as_long(
    manifests: Manifests,
) -> None:
    service = manifests.named("Service", "web")["spec"]
    assert service["sessionAffinity"] == "ClientIP"
    assert service["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"] == 3600
    for name in ("web", "web-sockets"):
        assert annotation(manifests, name, "affinity") == "cookie"
        assert annotation(manifests, name, "session-cookie-max-age") == "3600"
    for name in ("web-sockets", "grpc"):
        assert int(annotation(manifests, name, "proxy-read-timeout")) >= 3600
    # A token may stand in the address.
    assert annotation(manifests, "web-sockets", "enable-access-log") == "false"


def test_a_new_pod_is_ready_before_an_old_one_goes(manifests: Manifests) -> None:
    for each in ours(manifests):
        strategy = manifests.named("Deployment", each.name)["spec"]["strategy"]
        assert strategy["type"] == "RollingUpdate", each.name
        assert strategy["rollingUpdate"]["maxUnavailable"] == 0, each.name


def test_every_process_has_the_time_that_its_end_takes(manifests: Manifests) -> None:
    web = {
        name: float(seconds)
        for name, seconds in re.findall(
            r'"--(grace|drain)", type=\w+, default=([\d.]+)', inspect.getsource(project.web.main)
        )
    }
    worker = SLICE_SECONDS + settings.OUTBOUND_SECONDS + app.conf.worker_soft_shutdown_timeout
    for pod in ours(manifests):
        stop = pod.spec["containers"][0].get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        needed = {"web": sum(web.values()), "grpc": DRAIN_SECONDS}.get(pod.name, 5)
        if pod.labels.get("recado/role") == "worker":
            needed = worker
        assert pod.spec["terminationGracePeriodSeconds"] >= stop + needed + 2, pod.name
        if pod.name in {"web", "grpc"}:
            # Else new connections would meet a closed door.
            leaving = stop + (web.get("drain", 0) if pod.name == "web" else 0)
            assert leaving >= UNKNOWN_SECONDS, pod.name


def test_every_queue_is_served_by_exactly_one_deployment(manifests: Manifests) -> None:
    served = [queue for pod in workers(manifests) for queue in option(pod, "--queues").split(",")]
    assert sorted(served) == sorted(QUEUES)


def test_every_worker_is_named_after_its_deployment_and_its_channel(manifests: Manifests) -> None:
    for pod in workers(manifests):
        assert option(pod, "--hostname") == f"{pod.name}@%h"
        connector = option(pod, "--queues").partition("dispatch.")[2]
        assert pod.labels.get("recado/channel", "") == connector
        assert not connector or pod.name == f"worker-{connector.replace('_', '-')}"


def test_migrations_run_as_a_job_that_may_be_made_again(manifests: Manifests) -> None:
    job = manifests.named("Job", "migrate")
    assert job["spec"]["template"]["spec"]["containers"][0]["command"] == [
        "python",
        "manage.py",
        "migrate",
        "--no-input",
    ]
    assert job["spec"]["ttlSecondsAfterFinished"]
    assert job["metadata"]["annotations"]["argocd.argoproj.io/hook-delete-policy"] == "BeforeHookCreation"


def test_a_changed_configuration_restarts_what_reads_it(manifests: Manifests) -> None:
    """By its name, which says what is in it."""
    for each in manifests.of("ConfigMap"):
        assert re.fullmatch(r"recado(-backup)?-[0-9a-z]{10}", each["metadata"]["name"])


def test_two_clocks_may_stand_in_production(production: Manifests) -> None:
    assert production.named("Deployment", "beat")["spec"]["replicas"] == 2


def test_stores_keep_what_they_are_given(rendered: dict[str, Manifests]) -> None:
    for overlay in ("demo", "production"):
        (claim,) = rendered[overlay].named("StatefulSet", "postgres")["spec"]["volumeClaimTemplates"]
        assert claim["spec"]["resources"]["requests"]["storage"] == "20Gi"
        valkey = " ".join(rendered[overlay].pods_of("valkey").spec["containers"][0]["command"])
        assert "--appendonly yes" in valkey
        assert "--maxmemory-policy noeviction" in valkey
    assert not rendered["managed-stores"].of("StatefulSet")


def test_no_secret_is_in_the_repository(production: Manifests) -> None:
    """Nor can the template of one be applied: a server refuses a name with such signs."""
    assert not production.of("Secret")
    assert "/k8s/overlays/*/secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    template = K8S / "base" / "secrets.yaml"
    assert [path for path in K8S.rglob("*.yaml") if "\nkind: Secret\n" in path.read_text()] == [template]
    assert "secrets.yaml" not in (K8S / "base" / "kustomization.yaml").read_text()
    said = re.findall(r"^  (name|[A-Z_0-9]+): (.+)$", template.read_text(), re.MULTILINE)
    assert len(said) > 10
    for name, value in said:
        assert "REPLACE_ME" in value, name


def ours(manifests: Manifests) -> list[Pod]:
    return [pod for pod in manifests.pods if pod.is_ours and pod.kind == "Deployment"]


def workers(manifests: Manifests) -> list[Pod]:
    return [pod for pod in ours(manifests) if pod.labels.get("recado/role") == "worker"]


def option(pod: Pod, name: str) -> str:
    command: list[str] = pod.spec["containers"][0]["command"]
    return command[command.index(name) + 1]


def annotation(manifests: Manifests, ingress: str, name: str) -> str:
    annotations: Object = manifests.named("Ingress", ingress)["metadata"]["annotations"]
    return str(annotations[f"nginx.ingress.kubernetes.io/{name}"])


def no_secrets(manifests: Manifests) -> dict[str, dict[str, str]]:
    names = {
        source["secretRef"]["name"]
        for pod in manifests.pods
        for source in pod.spec["containers"][0].get("envFrom", [])
        if "secretRef" in source
    }
    return {name: {} for name in names}

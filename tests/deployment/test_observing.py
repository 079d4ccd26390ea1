"""What Prometheus asks, whom Alertmanager tells and what Grafana shows are all in docker-compose.yml."""

import re
from itertools import chain
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from celery_app import QUEUES
from tests.deployment.compose import ROOT, Service, variables, with_side_door

MONITORING = ROOT / "monitoring"
JOBS = {"recado", "flower", "celery", "postgres", "redis", "prometheus", "alertmanager", "node", "blackbox"}


def read(path: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((MONITORING / path).read_text())
    return found


@pytest.fixture(scope="module")
def jobs() -> dict[str, Any]:
    return {job["job_name"]: job for job in read("prometheus/prometheus.yml")["scrape_configs"]}


def test_prometheus_asks_every_process_and_no_other(jobs: dict[str, Any], services: dict[str, Service]) -> None:
    assert set(jobs) == JOBS
    [found] = jobs["recado"]["dns_sd_configs"]
    assert len(found["names"]) == len(set(found["names"]))
    assert set(found["names"]) == with_side_door(services)
    for name in found["names"]:
        assert variables(services[name])["INTERNAL_ADDRESS"] == f"0.0.0.0:{found['port']}"
        assert set(services[name]["networks"]) & set(services["prometheus"]["networks"]), name


def test_what_prometheus_asks_besides_is_beside_it(jobs: dict[str, Any], services: dict[str, Service]) -> None:
    asked = read("prometheus/prometheus.yml")["alerting"]["alertmanagers"] + list(jobs.values())
    targets = chain.from_iterable(
        group["targets"] for each in asked for group in each.get("static_configs", []) if group["targets"]
    )
    names = {target.partition(":")[0] for target in targets} - {"127.0.0.1"}
    names.add(jobs["blackbox"]["relabel_configs"][-1]["replacement"].partition(":")[0])
    assert len(names) == 7
    for name in names:
        assert set(services[name]["networks"]) & set(services["prometheus"]["networks"]), name


def test_every_exporter_is_asked(jobs: dict[str, Any], services: dict[str, Service]) -> None:
    exporters = {name for name in services if name.endswith("-exporter")}
    written = (MONITORING / "prometheus" / "prometheus.yml").read_text()
    assert {name for name in exporters if not re.search(rf"\b{name}:\d+", written)} == set()


def test_files_lie_where_they_are_looked_for(services: dict[str, Service]) -> None:
    mounts = {
        mount["target"]: mount["source"]
        for name in ("prometheus", "alertmanager", "grafana")
        for mount in services[name]["volumes"]
        if mount["type"] == "bind"
    }
    # The clone's folder is nobody's business.
    assert {target: PurePosixPath(source).relative_to(ROOT).as_posix() for target, source in mounts.items()} == {
        "/etc/prometheus": "monitoring/prometheus",
        "/etc/alertmanager": "monitoring/alertmanager",
        "/etc/grafana/provisioning": "monitoring/grafana/provisioning",
        "/etc/grafana/dashboards": "monitoring/grafana/dashboards",
    }
    assert read("prometheus/prometheus.yml")["rule_files"] == ["/etc/prometheus/rules/*.yml"]
    assert list((MONITORING / "prometheus" / "rules").glob("*.yml"))
    [provider] = read("grafana/provisioning/dashboards/recado.yml")["providers"]
    assert provider["options"]["path"] == "/etc/grafana/dashboards"


def test_alertmanager_reads_its_secrets_from_files_that_it_is_given(
    whole: dict[str, Any], services: dict[str, Service]
) -> None:
    text = (MONITORING / "alertmanager" / "alertmanager.yml").read_text()
    read_from = set(re.findall(r"_file: /run/secrets/(\w+)", text))
    assert (
        read_from == {secret["source"] for secret in services["alertmanager"]["secrets"]} == set(whole["secrets"])
    )
    # Nobody is told until somebody says who.
    assert (MONITORING / "alertmanager" / "nobody").read_bytes() == b""
    assert not re.search(r"hooks\.slack\.com|(?:routing_key|api_url): ", text)


def test_every_severity_of_the_rules_is_routed() -> None:
    route = read("alertmanager/alertmanager.yml")["route"]
    receivers = {receiver["name"] for receiver in read("alertmanager/alertmanager.yml")["receivers"]}
    assert {route["receiver"], *(each["receiver"] for each in route["routes"])} == receivers
    rules = "".join(path.read_text() for path in (MONITORING / "prometheus" / "rules").glob("*.yml"))
    routed = {each["matchers"][0] for each in route["routes"]}
    # A warning takes the way that is left.
    wanted = set(re.findall(r"severity: (\w+)", rules)) - {"warning"}
    assert routed == {f'severity = "{severity}"' for severity in wanted}


def test_grafana_asks_what_runs_beside_it(services: dict[str, Service]) -> None:
    sources = read("grafana/provisioning/datasources/recado.yml")["datasources"]
    assert [source["uid"] for source in sources if source.get("isDefault")] == ["prometheus"]
    for source in sources:
        name = urlsplit(source["url"]).hostname or ""
        assert set(services[name]["networks"]) & set(services["grafana"]["networks"]), name


def test_what_is_not_told_beside_another_alert_are_alerts() -> None:
    rules = "".join(path.read_text() for path in (MONITORING / "prometheus" / "rules").glob("*.yml"))
    alerts = set(re.findall(r"alert: (\w+)", rules))
    for rule in read("alertmanager/alertmanager.yml")["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            assert matcher.removeprefix('alertname = "').rstrip('"') in alerts


def test_celerys_exporter_asks_for_every_queue(services: dict[str, Service]) -> None:
    assert sorted(variables(services["celery-exporter"])["CE_QUEUES"].split(",")) == sorted(QUEUES)
    exporters = yaml.safe_load_all((ROOT / "k8s/components/monitoring/exporters.yaml").read_text())
    (celery,) = [each for each in exporters if each["metadata"]["name"] == "celery-exporter"]
    (container,) = celery["spec"]["template"]["spec"]["containers"]
    (in_cluster,) = [each["value"] for each in container["env"] if each["name"] == "CE_QUEUES"]
    assert sorted(in_cluster.split(",")) == sorted(QUEUES)

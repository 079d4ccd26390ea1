"""Rules and dashboards: Prometheus takes them, each alert is tried out and explained, and every metric exists."""

import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from apps.core.metrics.declared import DECLARED, Timing, sample_names
from local.places import ROOT
from local.promtool import promtool
from monitoring.grafana.build import DASHBOARDS, stale
from monitoring.grafana.panels import DOCS, RUNBOOK, WIDTH
from tests.deployment.promql import as_prometheus_gets_it, metrics_of

MONITORING = ROOT / "monitoring"
RULES = sorted((MONITORING / "prometheus" / "rules").glob("*.yml"))
RULE_TESTS = sorted((MONITORING / "prometheus" / "tests").glob("*.yml"))
DASHBOARD_FILES = sorted((MONITORING / "grafana" / "dashboards").glob("*.json"))
NEVER_QUIET = "Watchdog"

type Json = dict[str, Any]


def rules() -> list[Json]:
    return [
        rule for path in RULES for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]
    ]


def alerts() -> list[Json]:
    return [rule for rule in rules() if "alert" in rule]


def slug(alert: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", alert).lower()


def headings() -> list[str]:
    """As the documentation's site makes anchors of them."""
    lines = (ROOT / "docs" / "runbook.md").read_text().splitlines()
    titles = [line.lstrip("#").strip() for line in lines if re.match(r"#{2,} ", line)]
    return [re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower()) for title in titles]


def dashboards() -> dict[str, Json]:
    return {path.stem: json.loads(path.read_text()) for path in DASHBOARD_FILES}


def panels() -> Iterator[tuple[str, Json]]:
    for name, dashboard in dashboards().items():
        for panel in dashboard["panels"]:
            if panel["type"] != "row":
                yield f"{name}: {panel['title']}", panel


def expressions() -> Iterator[tuple[str, str]]:
    """Of dashboards, their variables and marks, with where each stands."""
    for name, panel in panels():
        for target in panel["targets"]:
            yield name, target["expr"]
    for name, dashboard in dashboards().items():
        for mark in dashboard["annotations"]["list"]:
            yield f"{name}: {mark['name']}", mark["expr"]
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                asked = re.fullmatch(r"label_values\((.+), \w+\)", variable["query"]["query"])
                assert asked is not None, variable["name"]
                yield f"{name}: {variable['name']}", asked[1]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([promtool(), *arguments], check=False, capture_output=True, text=True, timeout=400)


def test_prometheus_takes_the_rules() -> None:
    done = run("check", "rules", "--lint=all", "--lint-fatal", *RULES)
    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_fire_when_they_should_and_only_then() -> None:
    done = run("test", "rules", *RULE_TESTS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_is_seen_firing_and_being_quiet() -> None:
    fires, quiet = set(), set()
    for path in RULE_TESTS:
        for test in yaml.safe_load(path.read_text())["tests"]:
            outcomes = [(case["alertname"], bool(case["exp_alerts"])) for case in test["alert_rule_test"]]
            fires |= {name for name, is_expected in outcomes if is_expected}
            # One that fires later in the same story is not quiet.
            quiet |= {name for name, _ in outcomes} - {name for name, is_expected in outcomes if is_expected}
    names = {alert["alert"] for alert in alerts()}
    assert fires == names
    assert quiet == names - {NEVER_QUIET}


def test_each_alert_says_how_bad_it_is_what_it_is_and_what_to_do() -> None:
    for alert in alerts():
        name = alert["alert"]
        assert alert["labels"]["severity"] in {"critical", "warning", "none"}, name
        assert (alert["labels"]["severity"] == "none") == (name == NEVER_QUIET)
        assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}, name
        assert all(len(text) > 10 for text in alert["annotations"].values()), name
        assert alert["annotations"]["runbook_url"] == f"{RUNBOOK}#{slug(name)}"
    names = [alert["alert"] for alert in alerts()]
    assert len(names) == len(set(names))


def test_the_runbook_has_a_heading_for_each_alert_and_each_link() -> None:
    there = headings()
    assert len(there) == len(set(there))
    assert {slug(alert["alert"]) for alert in alerts()} <= set(there)
    linked = {link["url"] for _, panel in panels() for link in panel["links"]}
    assert {url.removeprefix(f"{RUNBOOK}#") for url in linked} <= set(there)


def test_dashboards_are_as_their_program_writes_them() -> None:
    assert stale() == [], "run: python -m monitoring.grafana.build"
    assert len(DASHBOARDS) == len(DASHBOARD_FILES)


def test_dashboards_can_be_provisioned() -> None:
    uids = [dashboard["uid"] for dashboard in dashboards().values()]
    assert len(set(uids)) == len(uids)
    for name, dashboard in dashboards().items():
        assert dashboard["title"], name
        assert dashboard["description"], name
        # Grafana would update whichever has that number.
        assert "id" not in dashboard, name
        ids = [panel["id"] for panel in dashboard["panels"]]
        assert len(set(ids)) == len(ids), name
        links = [link.get("url", "") for link in dashboard["links"]]
        assert all(url.startswith(DOCS) for url in links if url), name


def test_panels_say_what_they_show_and_in_what_unit() -> None:
    for name, panel in panels():
        assert panel["title"], name
        assert len(panel["description"]) > 5, name
        assert panel["fieldConfig"]["defaults"]["unit"], name
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["value"] is None, name
        assert panel["datasource"]["uid"] == "${datasource}", name
        assert panel["targets"], name
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "${datasource}", name
            assert target["legendFormat"], name


def test_no_panel_lies_upon_another() -> None:
    for name, dashboard in dashboards().items():
        places = [panel["gridPos"] for panel in dashboard["panels"]]
        assert all(place["x"] + place["w"] <= WIDTH for place in places), name
        for one, other in itertools.combinations(places, 2):
            beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
            below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
            assert beside or below, f"{name}: {one} and {other}"


def test_prometheus_understands_what_dashboards_ask(tmp_path: Path) -> None:
    asked = sorted({as_prometheus_gets_it(expression) for _, expression in expressions()})
    recorded = [{"record": f"asked:{n}", "expr": expression} for n, expression in enumerate(asked)]
    path = tmp_path / "asked.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": recorded}]}))
    done = run("check", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_metric_exists() -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    known = exporters() | recorded | sample_names()
    used = [(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules()]
    missing = {
        name: unknown
        for name, expression in [*used, *expressions()]
        if (unknown := metrics_of(as_prometheus_gets_it(expression)) - known)
    }
    assert missing == {}


def test_no_exporters_metric_is_listed_for_nothing() -> None:
    speak = [rule["expr"] for rule in rules()] + [expression for _, expression in expressions()]
    used = set().union(*(metrics_of(as_prometheus_gets_it(expression)) for expression in speak))
    assert exporters() - used == set()


def test_a_bucket_that_a_rule_reads_is_counted() -> None:
    """One of another size would be empty, and its alert silent for ever."""
    sample_names()
    found = 0
    for rule in [*(rule["expr"] for rule in rules()), *(expression for _, expression in expressions())]:
        for metric, bound in re.findall(r'(\w+)_bucket\{[^}]*le="([^"]+)"', rule):
            timing = DECLARED[metric]
            assert isinstance(timing, Timing)
            assert float(bound) in timing.buckets, metric
            found += 1
    assert found


def exporters() -> set[str]:
    lines = (MONITORING / "known_metrics.txt").read_text().splitlines()
    return {line.split()[0] for line in lines if line and not line.startswith("#")}


@pytest.mark.parametrize(
    ("expression", "metrics"),
    [
        ('sum by (channel) (rate(a_total{state="b{c}"}[5m])) / on (channel) d:e:f > 0.5', {"a_total", "d:e:f"}),
        ("a offset 1h or b * 0 unless on () c", {"a", "b", "c"}),
        ('label_replace(max by (q) (a{x=~"y[.].+"}) < 1, "channel", "$1", "q", "(.+)")', {"a"}),
        ("histogram_quantile(0.95, sum by (le) (rate(a_bucket[$__rate_interval])))", {"a_bucket"}),
        ("time() - max(a) > 26 * 3600 and b == bool 1e3", {"a", "b"}),
    ],
)
def test_metrics_are_found_in_an_expression(expression: str, metrics: set[str]) -> None:
    assert metrics_of(as_prometheus_gets_it(expression)) == metrics

"""The few kinds of panels that the dashboards consist of, and how they stand beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

WIDTH = 24
DOCS = "https://docs.recado.example"
RUNBOOK = f"{DOCS}/runbook/"
_DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}

type Json = dict[str, Any]
# Expression, and what its line is called.
type Query = tuple[str, str]
type Colour = Literal["green", "yellow", "orange", "red", "blue", "text"]
# From this value on this colour.
type Threshold = tuple[float | None, Colour]

FINE: tuple[Threshold, ...] = ((None, "green"),)
NEUTRAL: tuple[Threshold, ...] = ((None, "text"),)


def at_most(warning: float, critical: float) -> tuple[Threshold, ...]:
    return ((None, "green"), (warning, "yellow"), (critical, "red"))


def at_least(critical: float, warning: float) -> tuple[Threshold, ...]:
    return ((None, "red"), (critical, "yellow"), (warning, "green"))


def runbook(alert: str) -> str:
    return f"{RUNBOOK}#{alert}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    title: str
    # What it tells, and what to do about it.
    says: str
    unit: str
    queries: Sequence[Query]
    width: int = 8
    height: int = 7
    thresholds: tuple[Threshold, ...] = FINE
    # A heading of the runbook.
    alert: str = ""

    def build(self, number: int, x: int, y: int) -> Json:
        links = [{"title": "What to do", "url": runbook(self.alert), "targetBlank": True}] if self.alert else []
        return {
            "id": number,
            "title": self.title,
            "description": self.says,
            "datasource": _DATASOURCE,
            "gridPos": {"h": self.height, "w": self.width, "x": x, "y": y},
            "links": links,
            "targets": [self._target(n, query) for n, query in enumerate(self.queries)],
            **self.looks(),
        }

    def looks(self) -> Json:
        raise NotImplementedError

    def _target(self, n: int, query: Query) -> Json:
        expression, legend = query
        return {
            "datasource": _DATASOURCE,
            "expr": expression,
            "legendFormat": legend,
            "range": True,
            "refId": chr(ord("A") + n),
        }

    def _steps(self) -> Json:
        return {
            "mode": "absolute",
            "steps": [{"value": value, "color": colour} for value, colour in self.thresholds],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(Panel):
    """One number, in the colour of how good it is."""

    width: int = 4
    height: int = 4
    # Of what is there, the worst or the sum is for the expression to say.
    words: tuple[tuple[str, str, Colour], ...] = ()
    graph: bool = True
    decimals: int | None = None

    def looks(self) -> Json:
        mappings = [
            {"type": "value", "options": {value: {"text": text, "color": colour, "index": n}}}
            for n, (value, text, colour) in enumerate(self.words)
        ]
        defaults: Json = {
            "unit": self.unit,
            "color": {"mode": "thresholds"},
            "thresholds": self._steps(),
            "mappings": mappings,
            "noValue": "–",
        }
        if self.decimals is not None:
            defaults["decimals"] = self.decimals
        return {
            "type": "stat",
            "fieldConfig": {"defaults": defaults, "overrides": []},
            "options": {
                "colorMode": "value",
                "graphMode": "area" if self.graph else "none",
                "justifyMode": "center",
                "orientation": "auto",
                "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
                "textMode": "value_and_name" if len(self.queries) > 1 else "value",
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines(Panel):
    """Over time. Thresholds, where there are any, are drawn as lines."""

    stacked: bool = False
    least: float | None = 0
    most: float | None = None
    logarithmic: bool = False

    def looks(self) -> Json:
        custom: Json = {
            "drawStyle": "line",
            "lineInterpolation": "monotone",
            "lineWidth": 1 if self.stacked else 2,
            "fillOpacity": 35 if self.stacked else 8,
            "gradientMode": "none" if self.stacked else "opacity",
            "showPoints": "never",
            "spanNulls": 60_000,
            "axisPlacement": "auto",
            "stacking": {"mode": "normal" if self.stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "dashed" if len(self.thresholds) > 1 else "off"},
            "scaleDistribution": {"type": "log", "log": 10} if self.logarithmic else {"type": "linear"},
        }
        defaults: Json = {
            "unit": self.unit,
            "color": {"mode": "palette-classic"},
            "custom": custom,
            "thresholds": self._steps(),
        }
        if self.least is not None and not self.logarithmic:
            defaults["min"] = self.least
        if self.most is not None:
            defaults["max"] = self.most
        return {
            "type": "timeseries",
            "fieldConfig": {"defaults": defaults, "overrides": []},
            "options": {
                "legend": {
                    "displayMode": "table",
                    "placement": "bottom",
                    "showLegend": True,
                    "calcs": ["lastNotNull", "max"],
                },
                "tooltip": {"mode": "multi", "sort": "desc"},
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars(Panel):
    """What stands beside each other now, the largest first."""

    def looks(self) -> Json:
        return {
            "type": "bargauge",
            "fieldConfig": {
                "defaults": {
                    "unit": self.unit,
                    "min": 0,
                    "color": {"mode": "thresholds"},
                    "thresholds": self._steps(),
                    "noValue": "–",
                },
                "overrides": [],
            },
            "options": {
                "displayMode": "lcd",
                "orientation": "horizontal",
                "showUnfilled": True,
                "valueMode": "color",
                "namePlacement": "left",
                "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            },
        }


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    label: str
    # Prometheus is asked for these.
    query: str


CHANNEL = Variable("channel", "Channel", "label_values(recado_accounts, channel)")
ACCOUNT_CLASS = Variable(
    "account_class", "Account class", "label_values(recado_messages_accepted_total, account_class)"
)


@dataclass(frozen=True, slots=True)
class Dashboard:
    name: str
    title: str
    says: str
    rows: Sequence[Row]
    variables: Sequence[Variable] = field(default=())
    since: str = "now-3h"

    @property
    def uid(self) -> str:
        return f"recado-{self.name}"

    def build(self) -> Json:
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.says,
            "tags": ["recado"],
            "schemaVersion": 39,
            "version": 1,
            "editable": False,
            "graphTooltip": 1,
            "refresh": "30s",
            "time": {"from": self.since, "to": "now"},
            "timezone": "browser",
            "links": _links(),
            "annotations": {"list": [_alerts_as_marks()]},
            "templating": {"list": [_datasource(), *map(_variable, self.variables)]},
            "panels": self._panels(),
        }

    def _panels(self) -> list[Json]:
        """From left to right; what does not fit begins a line below."""
        built: list[Json] = []
        y = 0
        for row in self.rows:
            built.append(_heading(len(built) + 1, row.title, y))
            x, y, tallest = 0, y + 1, 0
            for panel in row.panels:
                if x + panel.width > WIDTH:
                    x, y, tallest = 0, y + tallest, 0
                built.append(panel.build(len(built) + 1, x, y))
                x += panel.width
                tallest = max(tallest, panel.height)
            y += tallest
        return built


def _heading(number: int, title: str, y: int) -> Json:
    return {
        "id": number,
        "type": "row",
        "title": title,
        "collapsed": False,
        "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": y},
        "panels": [],
    }


def _links() -> list[Json]:
    common = {"includeVars": True, "keepTime": True, "targetBlank": False, "tags": [], "icon": "dashboard"}
    return [
        {**common, "title": "Dashboards", "type": "dashboards", "tags": ["recado"], "asDropdown": True},
        {**common, "title": "Runbook", "type": "link", "url": RUNBOOK, "icon": "doc", "targetBlank": True},
    ]


def _alerts_as_marks() -> Json:
    return {
        "name": "Critical alerts",
        "datasource": _DATASOURCE,
        "enable": True,
        "iconColor": "red",
        "expr": 'ALERTS{alertstate="firing",severity="critical"}',
        "titleFormat": "{{alertname}}",
        "textFormat": "{{channel}}",
        "step": "60s",
    }


def _datasource() -> Json:
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
        "hide": 0,
        "refresh": 1,
    }


def _variable(variable: Variable) -> Json:
    return {
        "name": variable.name,
        "label": variable.label,
        "type": "query",
        "datasource": _DATASOURCE,
        "query": {"query": variable.query, "refId": "variable"},
        "definition": variable.query,
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
        "refresh": 2,
        "sort": 1,
        "hide": 0,
    }

"""The shapes of what operators bring, as far as k8s/ uses them: no published schema is on this machine."""

from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string", "minLength": 1}
COUNT: Schema = {"type": "integer", "minimum": 0}


def _object(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    properties = required | (optional or {})
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item, "minItems": 1}


def _is(*values: str) -> Schema:
    return {"enum": list(values)}


_SCALING = _object(
    {"policies": _list(_object({"type": _is("Percent", "Pods"), "value": COUNT, "periodSeconds": COUNT}))},
    {"selectPolicy": _is("Max", "Min", "Disabled"), "stabilizationWindowSeconds": COUNT},
)
_PROMETHEUS = _object(
    {
        "type": _is("prometheus"),
        # KEDA takes texts here, also for numbers.
        "metadata": _object({"serverAddress": TEXT, "query": TEXT, "threshold": TEXT}),
    },
    # A fallback works with this one only.
    {"metricType": _is("AverageValue")},
)
_LABEL_SELECTOR: Schema = {"type": "object", "minProperties": 1}
_RELABELING = _object({"targetLabel": TEXT}, {"sourceLabels": _list(TEXT), "regex": TEXT, "replacement": TEXT})

SPECS: dict[tuple[str, str], Schema] = {
    ("keda.sh/v1alpha1", "ScaledObject"): _object(
        {
            "scaleTargetRef": _object({"name": TEXT}),
            "minReplicaCount": COUNT,
            "maxReplicaCount": COUNT,
            "triggers": _list(_PROMETHEUS),
        },
        {
            "pollingInterval": COUNT,
            "fallback": _object({"failureThreshold": COUNT, "replicas": COUNT}),
            "advanced": _object(
                {
                    "horizontalPodAutoscalerConfig": _object(
                        {"behavior": _object({"scaleUp": _SCALING, "scaleDown": _SCALING})}
                    )
                }
            ),
        },
    ),
    ("external-secrets.io/v1", "ExternalSecret"): _object(
        {
            "secretStoreRef": _object({"kind": _is("SecretStore", "ClusterSecretStore"), "name": TEXT}),
            "target": _object({"name": TEXT}, {"deletionPolicy": _is("Retain", "Delete", "Merge")}),
            "dataFrom": _list(_object({"extract": _object({"key": TEXT})})),
        },
        {"refreshInterval": TEXT},
    ),
    ("monitoring.coreos.com/v1", "PodMonitor"): _object(
        {
            "selector": _LABEL_SELECTOR,
            "podMetricsEndpoints": _list(
                _object({"port": TEXT}, {"path": TEXT, "interval": TEXT, "relabelings": _list(_RELABELING)})
            ),
        },
        {"jobLabel": TEXT},
    ),
}


def schema_of(api_version: str, kind: str) -> Schema | None:
    spec = SPECS.get((api_version, kind))
    if spec is None:
        return None
    return _object(
        {
            "apiVersion": _is(api_version),
            "kind": _is(kind),
            "metadata": _object(
                {"name": TEXT, "namespace": TEXT},
                {"labels": {"type": "object"}, "annotations": {"type": "object"}},
            ),
            "spec": spec,
        }
    )

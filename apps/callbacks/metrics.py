"""What is counted of calls to the endpoints of applications."""

from apps.core.metrics.declared import Counter
from apps.core.metrics.labels import Label

CALLS = Counter(
    "recado_webhook_calls_total",
    "Calls to endpoints of applications, each attempt.",
    Label.of("result", "whether it was answered with 2xx", ("delivered", "failed")),
)

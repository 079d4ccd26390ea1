"""What a process tells of itself, and where."""

from urllib.parse import unquote

from project.env import env

# Where every process answers `/metrics` and `/healthz` besides what it serves: for Prometheus and for probes, on a
# network that only the installation's own machines reach.
INTERNAL_ADDRESS = env.address("INTERNAL_ADDRESS")
# The web process shows its metrics at its own `/metrics` too, to whoever carries this.
METRICS_TOKEN = env.text("METRICS_TOKEN", "", hint="32 characters or more", least=32)
# Which version of the code this is, for traces and reports of errors.
RELEASE = env.text("RELEASE", "")
# The collector that traces are exported to; without one there are none. The ratio is of those that nobody above us
# has decided about.
OTEL_EXPORTER_OTLP_ENDPOINT = env.text("OTEL_EXPORTER_OTLP_ENDPOINT", "").rstrip("/")
# What it asks for besides, such as the key of a service: name=value, separated by commas.
OTEL_EXPORTER_OTLP_HEADERS = {
    name: unquote(value)
    for name, _, value in (word.partition("=") for word in env.words("OTEL_EXPORTER_OTLP_HEADERS", []))
}
TRACES_SAMPLE_RATIO = env.ratio("TRACES_SAMPLE_RATIO", 0.1)
# Where errors are reported; without it, nowhere but in the log.
SENTRY_DSN = env.text("SENTRY_DSN", "")
SENTRY_ENVIRONMENT = env.text("SENTRY_ENVIRONMENT", "production")

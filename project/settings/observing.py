"""What a process tells of itself, and where."""

from project.env import env

# Where every process answers `/metrics` and `/healthz` besides what it serves: for Prometheus and for probes, on a
# network that only the installation's own machines reach.
INTERNAL_ADDRESS = env.address("INTERNAL_ADDRESS")
# The web process shows its metrics at its own `/metrics` too, to whoever carries this.
METRICS_TOKEN = env.text("METRICS_TOKEN", "", hint="32 characters or more", least=32)

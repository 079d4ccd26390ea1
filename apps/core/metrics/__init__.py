"""What a process counts of its own doing, for Prometheus.

    labels     what may stand in a label: words from closed lists, never an id
    declared   counters, gauges and histograms; the one list of all of them
    exposed    that list as Prometheus reads it
    shared     numbers that the children of a worker write down for their parent to show
    requests   HTTP requests by route
    process    what there is to say of any process

Each app declares its own in its `metrics.py`, and counts where something happens.
"""

from apps.core.metrics import process, requests

__all__ = ["process", "requests"]

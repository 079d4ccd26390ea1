"""Eight worker processes on one account: do they keep its limit together?"""

import time

import celery_app
from bench.figure import CannotMeasure, Figure
from bench.layouts import EVENTS_ALONE
from bench.noting import noting_provider
from bench.office import Office, limit
from bench.stage import Stage
from bench.workers import Layout, running

PROCESSES = 8
RATE = BURST = 50
SECONDS = 10
WARM_UP_SECONDS = 4


def measure(stage: Stage, office: Office) -> list[Figure]:
    office.clear()
    limit(office, rate_per_second=RATE, burst=BURST)
    office.meet(2 * RATE * SECONDS)
    try:
        with noting_provider(stage) as provider:
            layout = Layout(
                "8 processes",
                [f"--pool prefork --concurrency {PROCESSES} --queues dispatch.whatsapp_cloud", EVENTS_ALONE],
                {"WHATSAPP_CLOUD_URL": provider.url, "DRAINS_PER_ACCOUNT": str(PROCESSES)},
            )
            with running(stage, celery_app.app, "celery_app", layout):
                for messages in (BURST, 2 * RATE * SECONDS):
                    provider.arrivals()
                    office.queue(messages)
                    started = time.monotonic()
                    # A drain for each process, so that all of them ask at once.
                    office.ring(PROCESSES)
                    # The first round warms the processes up, and leaves the limit as after a rest.
                    time.sleep(WARM_UP_SECONDS if messages == BURST else SECONDS + 1)
                moments = [moment for _, moment in provider.arrivals()]
    finally:
        limit(office, rate_per_second=100_000, burst=100_000)
    if not moments:
        raise CannotMeasure("nothing arrived")
    # From before the first was granted, or those under way at the start would be counted at the end as well.
    granted = sum(moment < started + SECONDS for moment in moments)
    return [
        Figure(
            f"sent in {SECONDS} s by {PROCESSES} processes at {RATE}/s",
            granted,
            str(granted),
            str(RATE * SECONDS),
            least=RATE * SECONDS,
            most=RATE * SECONDS + BURST,
        )
    ]

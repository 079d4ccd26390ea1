"""Celery itself: queues, workers and tasks. Messages are not in its queues, only the bells that ring for them."""

from monitoring.grafana.panels import NEUTRAL, Bars, Dashboard, Lines, Number, Row, Variable, at_most

_QUEUE = Variable("queue", "Queue", "label_values(celery_queue_length, queue_name)")
_OF = 'queue_name=~"$queue"'

_NOW = Row(
    "Now",
    (
        Number(
            title="Workers up",
            says="As celery-exporter sees their heartbeats.",
            unit="short",
            queries=(("sum(celery_worker_up)", "up"),),
            thresholds=((None, "red"), (1, "green")),
            alert="no-workers",
        ),
        Number(
            title="Queues without a worker",
            says="Any: what waits there, waits.",
            unit="short",
            queries=(("sum(max by (queue_name) (celery_active_worker_count) == bool 0)", "queues"),),
            thresholds=((None, "green"), (1, "red")),
            alert="queue-without-worker",
        ),
        Number(
            title="Tasks that wait",
            says="Bells and errands; lost ones are found again in PostgreSQL.",
            unit="short",
            queries=((f"sum(max by (queue_name) (celery_queue_length{{{_OF}}}))", "waiting"),),
            thresholds=at_most(500, 1000),
            alert="queue-long",
        ),
        Number(
            title="Tasks at work",
            says="Over all workers.",
            unit="short",
            queries=(("sum(celery_worker_tasks_active)", "active"),),
            thresholds=NEUTRAL,
        ),
        Number(
            title="Tasks a second",
            says="That ended well.",
            unit="ops",
            queries=((f"sum(rate(celery_task_succeeded_total{{{_OF}}}[$__rate_interval]))", "succeeded"),),
            thresholds=NEUTRAL,
        ),
        Number(
            title="Failed in the last hour",
            says="Their errors are in the log and in Flower.",
            unit="short",
            queries=(("sum(increase(celery_task_failed_total[1h])) or vector(0)", "failed"),),
            thresholds=at_most(1, 20),
            alert="tasks-fail",
        ),
    ),
)
_TIME = Row(
    "Over time",
    (
        Lines(
            title="Tasks that wait, by queue",
            says="A queue that only grows has too few workers.",
            unit="short",
            queries=((f"max by (queue_name) (celery_queue_length{{{_OF}}})", "{{queue_name}}"),),
            alert="queue-long",
        ),
        Bars(
            title="Worker processes, by queue",
            says="How many tasks of a queue can run at once.",
            unit="short",
            queries=((f"max by (queue_name) (celery_active_process_count{{{_OF}}})", "{{queue_name}}"),),
            thresholds=((None, "red"), (1, "blue")),
            alert="queue-without-worker",
        ),
        Lines(
            title="Tasks that failed, by name",
            says="A second.",
            unit="ops",
            queries=(
                (
                    "sum by (name, exception) (rate(celery_task_failed_total[$__rate_interval]))",
                    "{{name}} {{exception}}",
                ),
            ),
            alert="tasks-fail",
        ),
        Lines(
            title="Tasks, by name",
            says="The ten that run most often.",
            unit="ops",
            width=12,
            queries=(
                (
                    f"topk(10, sum by (name) (rate(celery_task_succeeded_total{{{_OF}}}[$__rate_interval])))",
                    "{{name}}",
                ),
            ),
        ),
        Lines(
            title="How long tasks take",
            says="95 % within, the ten longest. A drain works for up to five seconds; reading files for minutes.",
            unit="s",
            width=12,
            queries=(
                (
                    (
                        "topk(10, histogram_quantile(0.95, sum by (name, le) "
                        f"(rate(celery_task_runtime_bucket{{{_OF}}}[$__rate_interval]))))"
                    ),
                    "{{name}}",
                ),
            ),
        ),
    ),
)

PAGE = Dashboard(
    name="celery",
    title="Recado: Celery",
    says="Queues, workers and tasks. Messages are in PostgreSQL; Celery's queues hold the "
    "bells that ring for them.",
    rows=(_NOW, _TIME),
    variables=(_QUEUE,),
)

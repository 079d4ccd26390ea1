"""What beat has done, for programs of those who run the installation."""

from typing import Any

from django_celery_beat.models import PeriodicTask
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.installation_view import InstallationView
from apps.core.api.serializers import StrictSerializer
from apps.operations.beat import control, runs, words

# There are about a dozen.
MOST = 200
SUCCEEDED, FAILED = "succeeded", "failed"


class PeriodicTaskReader(serializers.Serializer[PeriodicTask]):
    """Its context has the last runs, by task."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    does = serializers.SerializerMethodField(help_text="In plain words.")
    how_often = serializers.SerializerMethodField(help_text="In plain words.")
    enabled = serializers.BooleanField()
    last_run_at = serializers.SerializerMethodField()
    last_result = serializers.SerializerMethodField(help_text="Null where nobody knows.")
    last_error = serializers.SerializerMethodField(help_text="What kind of error it was; else empty.")
    next_run_at = serializers.SerializerMethodField(help_text="Null while it is switched off.")

    def get_does(self, task: PeriodicTask) -> str:
        return words.does(task)

    def get_how_often(self, task: PeriodicTask) -> str:
        return words.how_often(task)

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_last_run_at(self, task: PeriodicTask) -> Any:
        run = self._run(task)
        return run.at if run else task.last_run_at

    @extend_schema_field(serializers.ChoiceField([SUCCEEDED, FAILED], allow_null=True))
    def get_last_result(self, task: PeriodicTask) -> str | None:
        run = self._run(task)
        return None if run is None else FAILED if run.error else SUCCEEDED

    def get_last_error(self, task: PeriodicTask) -> str:
        run = self._run(task)
        return run.error if run else ""

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_next_run_at(self, task: PeriodicTask) -> Any:
        run = self._run(task)
        return words.next_run(task, run.at if run else None)

    def _run(self, task: PeriodicTask) -> runs.Run | None:
        last: runs.Run | None = self.context["runs"].get(task.task)
        return last


class PeriodicTasksReader(serializers.Serializer[Any]):
    data = PeriodicTaskReader(many=True)  # type: ignore[assignment]


class PeriodicTaskChange(StrictSerializer):
    enabled = serializers.BooleanField()


class PeriodicTasksView(InstallationView):
    @extend_schema(responses=PeriodicTasksReader, operation_id="installation_periodic_tasks_list")
    def get(self, request: Request) -> Response:
        """What is done periodically, how the last run of each ended, and when the next one is due."""
        tasks = PeriodicTask.objects.select_related("interval", "crontab").order_by("name")[:MOST]
        return Response({"data": PeriodicTaskReader(tasks, many=True, context={"runs": runs.last()}).data})


class OnePeriodicTaskView(InstallationView):
    @extend_schema(responses=PeriodicTaskReader, operation_id="installation_periodic_tasks_retrieve")
    def get(self, request: Request, task_id: int) -> Response:
        """One of them."""
        return _answer(_get(task_id))

    @extend_schema(
        request=PeriodicTaskChange,
        responses=PeriodicTaskReader,
        operation_id="installation_periodic_tasks_update",
    )
    def patch(self, request: Request, task_id: int) -> Response:
        """Switch it on or off."""
        task = _get(task_id)
        body = PeriodicTaskChange(data=request.data)
        body.is_valid(raise_exception=True)
        control.switch(self.operator.actor, task, enabled=body.validated_data["enabled"])
        return _answer(task)


class RunPeriodicTaskView(InstallationView):
    @extend_schema(
        request=None, responses={202: PeriodicTaskReader}, operation_id="installation_periodic_tasks_run"
    )
    def post(self, request: Request, task_id: int) -> Response:
        """Have it done once, besides when it is due. That does no harm, and needs a worker that has time."""
        task = _get(task_id)
        control.run_now(self.operator.actor, task)
        return _answer(task, status=202)


def _get(task_id: int) -> PeriodicTask:
    found = PeriodicTask.objects.select_related("interval", "crontab").filter(pk=task_id).first()
    if found is None:
        raise NotFound
    return found


def _answer(task: PeriodicTask, *, status: int = 200) -> Response:
    return Response(PeriodicTaskReader(task, context={"runs": runs.last()}).data, status=status)

"""The periodic tasks of celery beat, in the admin's own dress. Superusers only."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_celery_beat.admin import PeriodicTaskAdmin as BeatPeriodicTaskAdmin
from django_celery_beat.admin import PeriodicTaskForm, TaskSelectWidget
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.accounts.acting import acting_user
from apps.accounts.principal import actor_of
from apps.core.api.problems import Problem
from apps.operations.beat import control, runs, words

# Roles take the place of groups.
admin.site.unregister([Group, ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule])


class _TaskSelect(UnfoldAdminSelectWidget, TaskSelectWidget):  # type: ignore[misc]
    pass


class _PeriodicTaskForm(PeriodicTaskForm):  # type: ignore[misc]
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = _TaskSelect()


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(BeatPeriodicTaskAdmin, ModelAdmin):  # type: ignore[misc]
    form = _PeriodicTaskForm
    list_display = ["does", "how_often", "is_on", "last_run", "last_result", "next_run"]
    list_filter = ["enabled"]
    date_hierarchy = None
    ordering = ["name"]
    actions_detail = actions_row = ["run_now"]
    # The package's own page runs an inline script, which our content security policy forbids.
    change_form_template = None
    fieldsets = [
        (None, {"fields": ["name", "regtask", "task", "enabled", "description"]}),
        (
            gettext_lazy("Schedule"),
            {"fields": ["interval", "crontab", "crontab_translation", "start_time", "one_off"]},
        ),
        (gettext_lazy("Arguments"), {"fields": ["args", "kwargs"]}),
        (
            gettext_lazy("Execution options"),
            {"fields": ["expires", "expire_seconds", "queue", "priority", "last_run_at"]},
        ),
    ]

    class Media:
        css = {"all": ["operations/periodic.css"]}

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found = super().get_changelist_instance(request)
        last = runs.last()
        for task in found.result_list:
            task.run = last.get(task.task)
        return found

    @action(
        description=gettext_lazy("Run now"),
        permissions=["change"],
        url_path="run-now",
        extra_options={"display_in_dropdown": False},
    )
    def run_now(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        task = self.get_object(request, object_id)
        if task is None:
            raise Http404
        address = reverse("admin:django_celery_beat_periodictask_change", args=[task.pk])
        if request.method == "POST":
            try:
                control.run_now(actor_of(acting_user(request)), task)
            except Problem as problem:
                messages.error(request, str(problem.detail))
            else:
                messages.success(
                    request, _("A worker runs it as soon as one has time. The list tells how it ended.")
                )
            return HttpResponseRedirect(address)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{_('Run now')}: {words.does(task)}",
            "verb": _("Run now"),
            "explanation": _("It runs once, besides when it is due. That does no harm: each can run at any time."),
            "variant": "primary",
            "form": None,
            "back": address,
        }
        return TemplateResponse(request, "accounts/admin/confirm.html", context)

    @admin.display(description=gettext_lazy("what it does"), ordering="name")
    def does(self, task: PeriodicTask) -> str:
        return words.does(task)

    @admin.display(description=gettext_lazy("how often"))
    def how_often(self, task: PeriodicTask) -> str:
        return words.how_often(task)

    @display(description=gettext_lazy("state"), label={"on": "success", "off": "warning"})
    def is_on(self, task: PeriodicTask) -> tuple[str, str]:
        return ("on", _("runs")) if task.enabled else ("off", _("switched off"))

    @admin.display(description=gettext_lazy("last run"))
    def last_run(self, task: PeriodicTask) -> SafeString:
        return _labelled(_("Last run:"), _moment(task.run.at if task.run else task.last_run_at))

    @display(description=gettext_lazy("result"), label={"well": "success", "badly": "danger"})
    def last_result(self, task: PeriodicTask) -> tuple[str, str] | None:
        if task.run is None:
            return None
        return ("badly", task.run.error) if task.run.error else ("well", _("went well"))

    @admin.display(description=gettext_lazy("next run"))
    def next_run(self, task: PeriodicTask) -> SafeString:
        return _labelled(_("Next run:"), _moment(words.next_run(task, task.run.at if task.run else None)))


def _labelled(label: str, text: str) -> SafeString:
    """Where a telephone shows no heads of columns."""
    return format_html('<span class="periodic-label">{}</span> {}', label, text)


def _moment(at: datetime | None) -> str:
    return "–" if at is None else date_format(localtime(at), "SHORT_DATETIME_FORMAT")


@admin.register(CrontabSchedule, IntervalSchedule)
class ScheduleAdmin(ModelAdmin):  # type: ignore[misc]
    pass

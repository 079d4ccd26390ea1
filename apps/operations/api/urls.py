"""The addresses of this app under /v1/."""

from django.urls import path

from apps.operations.api.installation_overview import InstallationOverviewView
from apps.operations.api.installation_periodic_tasks import (
    OnePeriodicTaskView,
    PeriodicTasksView,
    RunPeriodicTaskView,
)
from apps.operations.api.overview import OverviewView
from apps.operations.api.use import UseView

urlpatterns = [
    path("organization/use", UseView.as_view(), name="organization_use"),
    path("overview", OverviewView.as_view(), name="overview"),
    path("installation/overview", InstallationOverviewView.as_view()),
    path("installation/periodic-tasks", PeriodicTasksView.as_view()),
    path("installation/periodic-tasks/<int:task_id>", OnePeriodicTaskView.as_view()),
    path("installation/periodic-tasks/<int:task_id>/run", RunPeriodicTaskView.as_view()),
]

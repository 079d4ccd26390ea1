"""The addresses of this app under /v1/."""

from django.urls import path

from apps.operations.api.overview import OverviewView

urlpatterns = [path("overview", OverviewView.as_view(), name="overview")]

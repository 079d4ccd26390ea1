"""The addresses of reminder policies and reminders under /v1/."""

from django.urls import path

from apps.billing.api.policies import (
    GoLiveView,
    InvoicePreviewView,
    OnePolicyView,
    PoliciesView,
    PolicyPreviewView,
    PolicyResultsView,
    StopView,
)
from apps.billing.api.reminders import RemindersView
from apps.billing.api.usual_policy import UsualPolicyView

urlpatterns = [
    path("reminder-policies", PoliciesView.as_view()),
    path("reminder-policies/usual", UsualPolicyView.as_view()),
    path("reminder-policies/<uuid:policy_id>", OnePolicyView.as_view()),
    path("reminder-policies/<uuid:policy_id>/go-live", GoLiveView.as_view()),
    path("reminder-policies/<uuid:policy_id>/stop", StopView.as_view()),
    path("reminder-policies/<uuid:policy_id>/results", PolicyResultsView.as_view()),
    path("reminder-policies/<uuid:policy_id>/preview", PolicyPreviewView.as_view()),
    path("reminders", RemindersView.as_view()),
    path("invoices/<uuid:invoice_id>/reminders/preview", InvoicePreviewView.as_view()),
]

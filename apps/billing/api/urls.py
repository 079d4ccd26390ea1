"""The addresses of this app under /v1/."""

from django.urls import path

from apps.billing.api.imports import ImportInvoicesView, ImportsView, OneImportView
from apps.billing.api.invoices import (
    CancelInvoiceView,
    DisputeInvoiceView,
    InvoiceBatchView,
    InvoicePixView,
    InvoicesView,
    OneInvoiceView,
    PayInvoiceView,
    SettleInvoiceView,
)
from apps.billing.api.payment_hook import payment_hook
from apps.billing.api.payment_sources import OneSourceView, RotateSourceSecretView, SourcesView
from apps.billing.api.policy_urls import urlpatterns as policy_urlpatterns

urlpatterns = [
    *policy_urlpatterns,
    path("invoices", InvoicesView.as_view()),
    path("invoices/batch", InvoiceBatchView.as_view()),
    path("invoices/import", ImportInvoicesView.as_view()),
    path("invoices/<uuid:invoice_id>", OneInvoiceView.as_view()),
    path("invoices/<uuid:invoice_id>/pay", PayInvoiceView.as_view()),
    path("invoices/<uuid:invoice_id>/cancel", CancelInvoiceView.as_view()),
    path("invoices/<uuid:invoice_id>/dispute", DisputeInvoiceView.as_view()),
    path("invoices/<uuid:invoice_id>/settle", SettleInvoiceView.as_view()),
    path("invoices/<uuid:invoice_id>/pix.png", InvoicePixView.as_view()),
    path("invoice-imports", ImportsView.as_view()),
    path("invoice-imports/<uuid:import_id>", OneImportView.as_view()),
    path("payment-sources", SourcesView.as_view()),
    path("payment-sources/<uuid:source_id>", OneSourceView.as_view()),
    path("payment-sources/<uuid:source_id>/rotate-secret", RotateSourceSecretView.as_view()),
    # Before the connectors' own, which are named by one word and an account.
    path("hooks/payments/<uuid:source_id>", payment_hook),
]

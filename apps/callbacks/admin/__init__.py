"""Webhooks in the admin."""

from apps.callbacks.admin import of_organization
from apps.callbacks.admin.delivery import WebhookDeliveryAdmin
from apps.callbacks.admin.endpoint import WebhookEndpointAdmin

__all__ = ["WebhookDeliveryAdmin", "WebhookEndpointAdmin", "of_organization"]

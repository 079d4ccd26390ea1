"""Where applications want to be called, and what they are called with."""

from apps.callbacks.models.cursor import WebhookCursor
from apps.callbacks.models.delivery import DeliveryState, WebhookDelivery
from apps.callbacks.models.endpoint import DisabledBecause, WebhookEndpoint

__all__ = ["DeliveryState", "DisabledBecause", "WebhookCursor", "WebhookDelivery", "WebhookEndpoint"]

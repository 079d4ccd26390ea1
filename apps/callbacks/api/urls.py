"""The addresses of this app under /v1/."""

from django.urls import path

from apps.callbacks.api.deliveries import (
    DeliveriesView,
    OneDeliveryView,
    ReplayDeliveriesView,
    ReplayDeliveryView,
)
from apps.callbacks.api.endpoints import (
    DisableEndpointView,
    EnableEndpointView,
    EndpointsView,
    OneEndpointView,
    RotateSecretView,
    TestEndpointView,
)

urlpatterns = [
    path("webhook-endpoints", EndpointsView.as_view()),
    path("webhook-endpoints/<uuid:endpoint_id>", OneEndpointView.as_view()),
    path("webhook-endpoints/<uuid:endpoint_id>/rotate-secret", RotateSecretView.as_view()),
    path("webhook-endpoints/<uuid:endpoint_id>/enable", EnableEndpointView.as_view()),
    path("webhook-endpoints/<uuid:endpoint_id>/disable", DisableEndpointView.as_view()),
    path("webhook-endpoints/<uuid:endpoint_id>/test", TestEndpointView.as_view()),
    path("webhook-endpoints/<uuid:endpoint_id>/replay", ReplayDeliveriesView.as_view()),
    path("webhook-endpoints/<uuid:endpoint_id>/deliveries", DeliveriesView.as_view()),
    path("webhook-endpoints/<uuid:endpoint_id>/deliveries/<uuid:delivery_id>", OneDeliveryView.as_view()),
    path(
        "webhook-endpoints/<uuid:endpoint_id>/deliveries/<uuid:delivery_id>/replay", ReplayDeliveryView.as_view()
    ),
]

"""How the REST API is parsed, rendered, described and refused."""

from typing import Any

# Who may call, and how often, is said by the views' base class: apps/accounts/api/view.py.
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["apps.core.api.json.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["apps.core.api.json.FastJSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "apps.core.api.json.AlwaysJSON",
    "DEFAULT_SCHEMA_CLASS": "apps.core.api.schema.RecadoAutoSchema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_FORMATTER_CLASS": "apps.core.api.problems.ProblemFormatter",
    "EXCEPTION_HANDLER_CLASS": "apps.core.api.problems.ProblemHandler",
    "ENABLE_IN_DEBUG_FOR_UNHANDLED_EXCEPTIONS": True,
    "NESTED_FIELD_SEPARATOR": "/",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Recado API",
    "DESCRIPTION": "Send messages over many channels and follow each one to its last status.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/v1",
    "SCHEMA_PATH_PREFIX_TRIM": False,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {
        "persistAuthorization": False,
        "displayRequestDuration": True,
        "tryItOutEnabled": True,
    },
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "AddressKind": "apps.messaging.api.consent.KINDS",
        "ActorKind": "apps.accounts.models.audit_event.ActorKind",
        "ClearingAction": "apps.messaging.models.ClearingAction",
        "ClearingState": "apps.messaging.models.ClearingState",
        "Connector": "apps.channels.registry.choices",
        "ConsentSource": "apps.messaging.models.ConsentSource",
        "DeadLetterState": "apps.messaging.models.DeadLetterState",
        "MessageEventKind": "apps.messaging.statuses.EventKind",
        "MessageStatus": "apps.messaging.statuses.Status",
        "InvoiceImportState": "apps.billing.models.ImportState",
        "InvoiceStatus": "apps.billing.models.InvoiceStatus",
        "MediaKind": "apps.messaging.api.content_bodies.MEDIA_KINDS",
        "OnUnknown": "apps.channels.models.OnUnknown",
        "Ordering": "apps.channels.models.Ordering",
        "RegistrationKind": "apps.registration.kinds.Kind",
        "RegistrationState": "apps.registration.models.RegistrationState",
        "ReminderState": "apps.billing.models.ReminderState",
        "Role": "apps.accounts.roles.Role",
        "Scope": "apps.accounts.roles.Scope",
        "UploadState": "apps.files.models.UploadState",
        "VariableType": "apps.messaging.wording.variables.TYPES",
        "WebhookDeliveryState": "apps.callbacks.models.DeliveryState",
        "WebhookDeliveryType": "apps.callbacks.api.bodies.TYPES",
        "WebhookDisabledBecause": "apps.callbacks.models.DisabledBecause",
        "WebhookEventType": "apps.callbacks.event_types.EventType",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apps.core.api.schema.describe_problems",
    ],
}

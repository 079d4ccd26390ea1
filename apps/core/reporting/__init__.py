"""Errors, reported to Sentry where the settings name one. Without it nothing of its SDK is imported."""

from collections.abc import Sequence

from django.conf import settings

from apps.core.asgi import Application, Receive, Scope, Send


def begin(unwatched: Sequence[str]) -> None:
    """Said once a process. Periodic tasks are watched, by beat and by whoever runs them, but for these."""
    if settings.SENTRY_DSN:
        from apps.core.reporting.sentry import set_up  # noqa: PLC0415 - only where it is wanted

        set_up(unwatched)


def isolated(application: Application) -> Application:
    """Or what Sentry knows of one request would be told of another, and none of it ever be forgotten."""
    if not settings.SENTRY_DSN:
        return application
    import sentry_sdk  # noqa: PLC0415 - only where it is wanted

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        with sentry_sdk.isolation_scope():
            await application(scope, receive, send)

    return call

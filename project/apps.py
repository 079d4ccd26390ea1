from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "project"

    def ready(self) -> None:
        """Whatever process uses Django, its tasks go to our broker, and its errors are reported."""
        from apps.core import reporting
        from celery_app import TOO_OFTEN_TO_WATCH

        reporting.begin(TOO_OFTEN_TO_WATCH)

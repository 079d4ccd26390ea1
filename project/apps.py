from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "project"

    def ready(self) -> None:
        """Whatever process uses Django, its tasks go to our broker."""
        import celery_app  # noqa: F401

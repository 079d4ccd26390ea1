from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OperationsConfig(AppConfig):
    name = "apps.operations"
    verbose_name = _("Operations")

    def ready(self) -> None:
        from django.contrib import admin

        from apps.operations import side_door, workers
        from apps.operations.beat import runs

        admin.site.index_template = "operations/admin/index.html"
        runs.listen()
        workers.listen()
        side_door.listen()

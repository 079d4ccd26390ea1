"""Puts our admin site in the place of Django's."""

from django.contrib.admin.apps import AdminConfig


class RecadoAdminConfig(AdminConfig):
    default_site = "apps.accounts.admin_site.RecadoAdminSite"

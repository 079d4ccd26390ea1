from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "apps.accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        from apps.accounts.allauth_adapters import rotate_second_factors
        from apps.core import rotation

        rotation.register("mfa.Authenticator.data", rotate_second_factors)

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "apps.accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_out

        from apps.accounts.allauth_adapters import rotate_second_factors
        from apps.accounts.browser_tokens import end_tokens
        from apps.core import rotation

        rotation.register("mfa.Authenticator.data", rotate_second_factors)
        user_logged_out.connect(end_tokens)

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "apps.accounts"

    def ready(self) -> None:
        from apps.accounts.sign_in import rotate_second_factors
        from apps.core import rotation

        rotation.register("mfa.Authenticator.data", rotate_second_factors)

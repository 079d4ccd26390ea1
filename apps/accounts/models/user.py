from functools import cached_property
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **values: Any) -> "User":
        user = self.model(email=email.strip().lower(), **values)
        user.set_password(password)  # None: unusable until the person sets one
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **values: Any) -> "User":
        return self.create_user(email, password, is_superuser=True, **values)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser):
    """A person who logs in, by e-mail. What they may do follows from their memberships.

    Django's groups and permissions are not used: a role in an organization says it all, and a superuser
    runs the installation.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(_("e-mail"), max_length=254)
    name = models.CharField(_("name"), max_length=120, blank=True)
    language = models.CharField(
        _("language"),
        max_length=10,
        choices=settings.LANGUAGES,
        blank=True,
        help_text=_("Empty: as the browser asks."),
    )
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Inactive people cannot log in."))
    is_superuser = models.BooleanField(
        _("superuser"), default=False, help_text=_("Runs this installation and sees every organization.")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = EMAIL_FIELD = "email"
    REQUIRED_FIELDS = []

    class Meta:
        db_table = "user_account"
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["email"]
        constraints = [
            # Also serves the look-up at log-in.
            models.UniqueConstraint(
                fields=["email"],
                name="user_account_email",
                violation_error_message=_("Somebody has this e-mail already."),
            ),
            # One spelling, so that the index above finds it and nobody exists twice.
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_account_email_lower"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        """Asked by the admin's menu."""
        return self.name

    def clean(self) -> None:
        super().clean()
        self.email = self.email.strip().lower()

    @cached_property
    def is_staff(self) -> bool:
        """Every member of an organization may open the admin; their role decides what is in it."""
        return self.is_active and (self.is_superuser or self.memberships.exists())

    def has_perm(self, _permission: str, _obj: object = None) -> bool:
        return self.is_active and self.is_superuser

    def has_module_perms(self, _app_label: str) -> bool:
        return self.is_active and self.is_superuser

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.tenancy import TenantModel
from apps.messaging.statuses import Category


class Template(TenantModel):
    """A message that is written once and sent often. What it says is in its versions."""

    name = models.SlugField(_("name"), max_length=80)
    category = models.CharField(_("category"), max_length=40, default=Category.TRANSACTIONAL)
    description = models.CharField(_("description"), max_length=255, blank=True)
    # What is sent where a message does not name a version.
    published = models.ForeignKey(
        "messaging.TemplateVersion",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("published version"),
        db_index=False,
    )
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        db_table = "template"
        verbose_name = _("template")
        verbose_name_plural = _("templates")
        constraints = [
            # Also serves the look-up by name.
            models.UniqueConstraint(
                fields=["organization", "name"],
                name="template_name",
                violation_error_message=_("Another template has this name."),
            ),
        ]
        indexes = [
            # The list of an organization's templates, newest first.
            models.Index(fields=["organization", "-id"], name="template_list"),
        ]

    def __str__(self) -> str:
        return self.name


class TemplateVersion(TenantModel):
    """Never changed once it was published: what was sent can be read again."""

    template = models.ForeignKey(
        Template, on_delete=models.CASCADE, related_name="versions", verbose_name=_("template"), db_index=False
    )
    number = models.PositiveIntegerField(_("version"))
    # In order: {"name", "type", "sample", "is_required"} each.
    variables = models.JSONField(_("variables"), default=list)
    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        db_table = "template_version"
        verbose_name = _("template version")
        verbose_name_plural = _("template versions")
        constraints = [
            # Also serves the versions of a template.
            models.UniqueConstraint(fields=["template", "number"], name="template_version_number"),
        ]

    def __str__(self) -> str:
        return f"v{self.number}"


class TemplateText(TenantModel):
    """What a version says in one language: to all channels, and to WhatsApp in the words approved there."""

    version = models.ForeignKey(TemplateVersion, on_delete=models.CASCADE, related_name="texts", db_index=False)
    language = models.CharField(_("language"), max_length=10)
    # Of e-mails.
    subject = models.CharField(_("subject"), max_length=255, blank=True)
    body = models.TextField(_("text"))
    # As apps.channels.content keeps them: `media` and `buttons`, whose texts may hold variables too.
    content = models.JSONField(_("media and buttons"), default=dict, blank=True)
    whatsapp_name = models.CharField(_("name at WhatsApp"), max_length=512, blank=True)
    whatsapp_language = models.CharField(_("language at WhatsApp"), max_length=20, blank=True)
    # WhatsApp's components, with variables in them.
    whatsapp_components = models.JSONField(_("components at WhatsApp"), default=list, blank=True)

    class Meta:
        db_table = "template_text"
        verbose_name = _("template text")
        verbose_name_plural = _("template texts")
        constraints = [
            # Also serves the texts of a version.
            models.UniqueConstraint(fields=["version", "language"], name="template_text_language"),
        ]

    def __str__(self) -> str:
        return self.language

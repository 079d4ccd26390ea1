from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.fields import EncryptedTextField
from apps.registration.kinds import Kind
from apps.registration.vault.models.scoped import VaultModel

LONGEST_NAME = 40


class Person(VaultModel):
    """Whose data is kept. Nothing here says who that is; the fields do, and only they."""

    contact_id = models.UUIDField(null=True)
    # Of the persons that turned out to be this one: the log names them as they were called then.
    merged_ids = ArrayField(models.UUIDField(), default=list)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    # Empty: for as long as nobody erases it.
    keep_until = models.DateTimeField(null=True)

    class Meta:
        db_table = 'vault"."person'
        verbose_name = _("person")
        verbose_name_plural = _("persons")
        constraints = [
            # Two writes at once make one person. Also serves the look-up of a contact's.
            models.UniqueConstraint(fields=["organization_id", "contact_id"], name="vault_person_contact"),
        ]
        indexes = [
            # The list of an organization's persons, newest first.
            models.Index(fields=["organization_id", "-id"], name="vault_person_list"),
            # Whose time is over.
            models.Index(
                fields=["keep_until"], condition=models.Q(keep_until__isnull=False), name="vault_person_expiry"
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class PersonField(VaultModel):
    """One thing that a person told: unreadable at rest, and found again only by its keyed digest."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="fields", db_index=False)
    # A kind, or the key of the question that it answers.
    name = models.CharField(max_length=LONGEST_NAME)
    kind = models.CharField(max_length=20, choices=Kind)
    value = EncryptedTextField(editable=False)
    # Empty for kinds that nobody searches for; see apps.registration.vault.digests.
    digest = models.BinaryField(max_length=32, null=True)
    # When the person last said so.
    changed_at = models.DateTimeField()

    class Meta:
        db_table = 'vault"."field'
        constraints = [
            # Also serves all of a person's.
            models.UniqueConstraint(fields=["person", "name"], name="vault_field_name"),
        ]
        indexes = [
            # Who has this value.
            models.Index(
                fields=["organization_id", "kind", "digest"],
                condition=models.Q(digest__isnull=False),
                name="vault_field_digest",
            ),
        ]

    def __str__(self) -> str:
        return self.name

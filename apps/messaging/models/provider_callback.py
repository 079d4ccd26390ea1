from django.db import models

# A callback that cannot be worked on stays for people to look at, and keeps no other from being worked on.
MOST_FAILURES = 5


class ProviderCallback(models.Model):
    """What a provider called us with, verified and not yet worked on. The row goes in that transaction.

    It has a row for each account whose secret the signature fits; whatever it says about others is passed over.
    """

    connector = models.CharField(max_length=40)
    account_id = models.UUIDField()
    # Callbacks of one account are worked on one after the other, so that its conversations stay in order.
    lane = models.SmallIntegerField()
    # Our address as it was called: some providers name the message there.
    url = models.CharField(max_length=2000)
    body = models.BinaryField()
    received_at = models.DateTimeField()
    failures = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "provider_callback"
        indexes = [
            # What is next of each account in a lane. What failed too often only waits for people.
            models.Index(
                fields=["lane", "account_id", "id"],
                condition=models.Q(failures__lt=MOST_FAILURES),
                name="provider_callback_lane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.connector} {self.id}"


class SeenCallback(models.Model):
    """By its digest, that a callback was taken: the same bytes for the same account count once."""

    digest = models.BinaryField(primary_key=True, max_length=16)
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "seen_callback"
        indexes = [
            # Forgetting old ones.
            models.Index(fields=["seen_at"], name="seen_callback_age"),
        ]

    def __str__(self) -> str:
        return bytes(self.digest).hex()


class ParkedReceipt(models.Model):
    """A receipt that came before we knew the provider's id of its message, or for a message that is not ours."""

    account_id = models.UUIDField()
    provider_id = models.CharField(max_length=255)
    status = models.CharField(max_length=10)
    at = models.DateTimeField()
    error_class = models.CharField(max_length=20, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_detail = models.CharField(max_length=500, blank=True)
    parked_at = models.DateTimeField()

    class Meta:
        db_table = "parked_receipt"
        constraints = [
            models.UniqueConstraint(fields=["account_id", "provider_id", "status"], name="parked_receipt_once"),
        ]
        indexes = [
            # Forgetting those that nothing came for.
            models.Index(fields=["parked_at"], name="parked_receipt_age"),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.provider_id}"

"""Backups of the database: where they lie, who can read them, how long they stay."""

from typing import Any

from project.env import env

# None: nothing is backed up from here.
BACKUP_S3_BUCKET = env.text("BACKUP_S3_BUCKET", "")
# This installation's own: whatever lies under it may be pruned.
BACKUP_S3_PREFIX = env.text("BACKUP_S3_PREFIX", "recado").strip("/") + "/"
BACKUP_S3: dict[str, Any] = {
    "bucket_name": BACKUP_S3_BUCKET,
    "endpoint_url": env.text("BACKUP_S3_ENDPOINT_URL", "") or None,
    "access_key": env.text("BACKUP_S3_ACCESS_KEY", "") or None,
    "secret_key": env.text("BACKUP_S3_SECRET_KEY", "") or None,
    "region_name": env.text("BACKUP_S3_REGION", env.text("S3_REGION", "us-east-1")),
    "addressing_style": env.choice(
        "BACKUP_S3_ADDRESSING",
        env.choice("S3_ADDRESSING", "path", among=("path", "virtual")),
        among=("path", "virtual"),
    ),
}
# age's public keys: whoever makes a backup cannot read it.
BACKUP_RECIPIENT = env.words("BACKUP_RECIPIENT", [])
# age's secret key, or the file that age-keygen writes: only where backups are read.
BACKUP_IDENTITY = env.text("BACKUP_IDENTITY", "")

# The newest of so many days, weeks and months that have one.
BACKUP_KEEP_DAILY = env.integer("BACKUP_KEEP_DAILY", 7)
BACKUP_KEEP_WEEKLY = env.integer("BACKUP_KEEP_WEEKLY", 5)
BACKUP_KEEP_MONTHLY = env.integer("BACKUP_KEEP_MONTHLY", 12)

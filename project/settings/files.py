"""Files: where they lie, how large they may be, how long they stay."""

from pathlib import Path
from typing import Any

from project.env import env
from project.storage_origins import storage_origins

# An S3 where a bucket is named; else a folder of this machine, which all processes must share.
S3_BUCKET = env.text("S3_BUCKET", "")
# As clients reach it, which for a bucket within a cluster is not as we do.
S3_PUBLIC_URL = env.text("S3_PUBLIC_URL", env.text("S3_ENDPOINT_URL", "")).rstrip("/")
_region = env.text("S3_REGION", "us-east-1")
_addressing = env.choice("S3_ADDRESSING", "path", among=("path", "virtual"))
FILES_FOLDER = env.text("FILES_FOLDER", str(Path(__file__).resolve().parent.parent.parent / ".recado" / "files"))

FILES_STORAGE: dict[str, Any] = (
    {
        "BACKEND": "apps.files.stores.s3.S3Store",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": env.text("S3_ENDPOINT_URL", "") or None,
            "public_endpoint_url": S3_PUBLIC_URL,
            "access_key": env.text("S3_ACCESS_KEY", "") or None,
            "secret_key": env.text("S3_SECRET_KEY", "") or None,
            "region_name": _region,
            "addressing_style": _addressing,
        },
    }
    if S3_BUCKET
    else {"BACKEND": "apps.files.stores.disk.DiskStore", "OPTIONS": {"location": FILES_FOLDER}}
)

# Browsers bring parts of uploads there and show images from there.
STORAGE_ORIGINS = storage_origins(S3_BUCKET, S3_PUBLIC_URL, _region, _addressing) if S3_BUCKET else []

FILES_LARGEST_BYTES = env.integer("FILES_LARGEST_BYTES", 2 * 1024**3, least=1)
# Of what people send; as much as any provider takes from them.
FILES_FETCHED_MOST_BYTES = env.integer("FILES_FETCHED_MOST_BYTES", 100 * 1024**2, least=1)
# Bodies that one web process receives at once; each takes about 25 MB.
FILES_UPLOADS_AT_ONCE = env.integer("FILES_UPLOADS_AT_ONCE", 8, least=1)
# How long a presigned link lasts, and how long one that is sent to a person.
FILES_LINK_SECONDS = env.integer("FILES_LINK_SECONDS", 15 * 60, least=10)
FILES_SENT_LINK_DAYS = env.integer("FILES_SENT_LINK_DAYS", 7, least=1)
FILES_UNUSED_DAYS = env.integer("FILES_UNUSED_DAYS", 30, least=1)
# How long an upload in parts may rest before it is given up.
UPLOAD_HOURS = env.integer("UPLOAD_HOURS", 24, least=1)

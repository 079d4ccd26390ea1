"""For building an image: static files are gathered as production serves them, and nobody is served.

What production must be told is made up, anew at every start, so that nothing secret can stay in an image.
"""

import os
import secrets
from base64 import urlsafe_b64encode

MADE_UP = {
    "SECRET_KEY": secrets.token_urlsafe(48),
    "ENCRYPTION_KEYS": f"build:{urlsafe_b64encode(secrets.token_bytes(32)).decode()}",
    "JWT_SIGNING_KEYS": f"build:{secrets.token_urlsafe(48)}",
    "VAULT_DIGEST_KEY": secrets.token_urlsafe(48),
    "ALLOWED_HOSTS": "build.invalid",
    "PUBLIC_URL": "https://build.invalid",
    "DATABASE_URL": "postgres://build.invalid/recado",
    "REDIS_URL": "redis://build.invalid",
    "MAIL_URL": "smtp://build.invalid",
}
os.environ.update(MADE_UP)

from project.settings.production import *  # noqa: E402 - it reads what was set above

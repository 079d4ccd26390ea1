"""For the test suite: the product's own settings on throw-away servers, with nothing that slows a test."""

import os

# mypy and `manage.py` read these settings with no server started.
os.environ.setdefault("DATABASE_URL", "postgres://recado@127.0.0.1:1/recado")
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:1/0")
os.environ["SECRET_KEY"] = "only-for-tests-" + "0" * 50
os.environ["ENCRYPTION_KEYS"] = "test:" + "A" * 43 + "="
os.environ["JWT_SIGNING_KEYS"] = "test:" + "0" * 64
os.environ["VAULT_DIGEST_KEY"] = "only-for-tests-" + "0" * 50
os.environ["ALLOWED_HOSTS"] = "testserver,localhost,127.0.0.1"

from django.contrib.auth.hashers import ScryptPasswordHasher

from project.env import env
from project.settings.base import *


class CheapScrypt(ScryptPasswordHasher):
    """As in production, so that a served process reads what a test wrote, and a thousand times faster."""

    work_factor = 2**4


PASSWORD_HASHERS = ["project.settings.test.CheapScrypt"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# Tests that talk to the application share their connection's transaction, which a pool would hide.
DATABASES["default"]["OPTIONS"].pop("pool")

env.check()

"""On one's own machine: `make demo`, and whoever works on the code. Bound to loopback, safe nowhere else."""

import os

DEFAULTS = {
    "SECRET_KEY": "only-for-development-" + "0" * 40,
    "ENCRYPTION_KEYS": "dev:" + "A" * 43 + "=",
    "JWT_SIGNING_KEYS": "dev:" + "0" * 64,
    "VAULT_DIGEST_KEY": "only-for-development-" + "0" * 40,
    "ALLOWED_HOSTS": "127.0.0.1,localhost",
    "ADMIN_REQUIRES_MFA": "false",
}
for name, value in DEFAULTS.items():
    if not os.environ.get(f"{name}_FILE"):
        os.environ.setdefault(name, value)

from project.env import env  # noqa: E402
from project.settings.base import *  # noqa: E402 - it reads what was set above

DEBUG = env.flag("DEBUG", True)
INSTALLED_APPS += ["local"]
STATIC_FILES_ARE_COLLECTED = False
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = env.text("MAIL_FOLDER", str(ROOT / ".recado" / "mail"))

env.check()

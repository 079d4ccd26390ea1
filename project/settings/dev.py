"""On one's own machine: `make demo`, and whoever works on the code. Bound to loopback, safe nowhere else."""

import os

os.environ.setdefault("SECRET_KEY", "only-for-development-" + "0" * 40)
os.environ.setdefault("ENCRYPTION_KEYS", "dev:" + "A" * 43 + "=")
os.environ.setdefault("JWT_SIGNING_KEYS", "dev:" + "0" * 64)
os.environ.setdefault("ALLOWED_HOSTS", "127.0.0.1,localhost")
os.environ.setdefault("ADMIN_REQUIRES_MFA", "false")

from project.settings.base import *

DEBUG = env.flag("DEBUG", True)
INSTALLED_APPS += ["local"]
STATIC_FILES_ARE_COLLECTED = False
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = env.text("MAIL_FOLDER", str(ROOT / ".recado" / "mail"))

env.check()

"""What holds in every environment. Each variable is documented in docs/configuration.md."""

from pathlib import Path
from typing import Any

import django_stubs_ext
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

from apps.core.encryption import is_encryption_key
from apps.core.logs import logging_settings
from project.env import env
from project.settings.admin import UNFOLD  # noqa: F401 - a setting
from project.settings.api import (  # noqa: F401 - settings
    DRF_STANDARDIZED_ERRORS,
    REST_FRAMEWORK,
    SPECTACULAR_SETTINGS,
)
from project.settings.backup import *  # settings
from project.settings.dispatch import *  # settings
from project.settings.files import *  # settings
from project.settings.observing import *  # settings
from project.settings.registration import *  # settings

# Lets `QuerySet[Model]` and its like be written where Python evaluates them, such as base classes.
django_stubs_ext.monkeypatch()

ROOT = Path(__file__).resolve().parent.parent.parent
SHORTEST_SIGNING_KEY = 32

# Identity and secrets

SECRET_KEY = env.text("SECRET_KEY", hint="50 or more random characters", least=50)
ENCRYPTION_KEYS = env.named_keys(
    "ENCRYPTION_KEYS",
    is_valid=is_encryption_key,
    hint="name:key words, the current one first, each made with manage.py generate_encryption_key",
)
JWT_SIGNING_KEYS = env.named_keys(
    "JWT_SIGNING_KEYS",
    is_valid=lambda key: len(key) >= SHORTEST_SIGNING_KEY,
    hint="name:key words, the current one first, with keys of 32 characters or more",
)
PUBLIC_URL = env.url("PUBLIC_URL", "http://127.0.0.1:8000", schemes=("https", "http")).text.rstrip("/")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", hint="the host names that reach this installation, separated by commas")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

# Applications

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "project.admin_config.RecadoAdminConfig",
    "project.apps.ProjectConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    # Before allauth, whose pages they dress.
    "apps.core",
    "apps.accounts",
    "apps.channels",
    "apps.files",
    "apps.messaging",
    "apps.callbacks",
    "apps.billing",
    "apps.registration",
    "apps.registration.vault",
    "apps.live",
    "apps.operations",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "corsheaders",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_structlog",
    "django_celery_beat",
]

MIDDLEWARE = [
    "apps.core.health.Probes",
    "apps.core.metrics.requests.CountRequests",
    "apps.core.tracing.requests.TracedRequests",
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.accounts.language.UserLanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "project.urls"
ASGI_APPLICATION = "project.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Pages of packages that we dress otherwise.
        "DIRS": [ROOT / "project" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Data

_database = env.url("DATABASE_URL", schemes=("postgres", "postgresql"))
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "apps.core.postgresql",
        # Asked when a request takes a connection from the pool: one that died is replaced, not handed out.
        "CONN_HEALTH_CHECKS": True,
        "NAME": _database.path,
        "USER": _database.username,
        "PASSWORD": _database.password,
        "HOST": _database.host,
        "PORT": _database.port or 5432,
        "OPTIONS": {
            "pool": {"min_size": 1, "max_size": env.integer("DATABASE_POOL_SIZE", 24, least=1), "timeout": 5},
            "connect_timeout": 5,
            # At once, where apps.core.prepared is used; nowhere else.
            "prepare_threshold": 0,
            # What the URL says behind its "?", such as sslmode=verify-full.
            **_database.query,
            # Nothing waits without end: not for a lock, not for a plan gone wrong, not idle in a transaction.
            # And on today's disks, looking up some rows by index beats reading a whole table.
            "options": "-c lock_timeout=10s -c statement_timeout=30s -c idle_in_transaction_session_timeout=60s"
            " -c random_page_cost=1.1",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.url("REDIS_URL", schemes=("redis", "rediss")).text
# Redis unless told otherwise; RabbitMQ where Redis is not wanted as a broker.
BROKER_URL = env.url("BROKER_URL", REDIS_URL or "redis://unset", schemes=("redis", "rediss", "amqp", "amqps")).text

CACHES = {
    "default": {"BACKEND": "apps.core.cache.ForgivingRedisCache", "LOCATION": REDIS_URL, "KEY_PREFIX": "recado"}
}

# People: they log in by e-mail, and only those who were invited

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "admin:index"
ACCOUNT_ADAPTER = "apps.accounts.allauth_adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_RATE_LIMITS = {
    # Guessing: one address slowly, one origin not much faster. The token endpoint counts with the log-in page.
    "login_failed": "20/m/ip,5/5m/key",
    "reset_password": "20/h/ip,5/h/key",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
}
MFA_ADAPTER = "apps.accounts.allauth_adapters.MFAAdapter"
MFA_TOTP_ISSUER = "Recado"
# Nobody signs themselves up, so an unverified address says nothing against a second factor.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
ADMIN_REQUIRES_MFA = env.flag("ADMIN_REQUIRES_MFA", True)
SESSION_ENGINE = "apps.accounts.browser_sessions"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True

ACCESS_TOKEN_SECONDS = 15 * 60
REFRESH_TOKEN_DAYS = 30

# Languages: the one a person chose, else the one their browser asks for

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("pt-br", "Português (Brasil)")]
LOCALE_PATHS = [ROOT / "locale"]
TIME_ZONE = "UTC"
USE_I18N = USE_TZ = True

# Pages and files

STATIC_URL = "static/"
STATIC_ROOT = ROOT / "staticfiles"
# The browser SDK, as it lies.
STATICFILES_DIRS = [("recado", ROOT / "clients" / "js" / "src")]
STATIC_FILES_ARE_COLLECTED = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# No request body is longer than this, however it arrives: the ASGI server stops reading there.
MAX_BODY_BYTES = 2 * 1024 * 1024
# A thousand messages as long as WhatsApp carries, with metadata, in letters of one or two bytes.
MAX_BATCH_BYTES = 8 * 1024 * 1024

STORAGES = {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "files": FILES_STORAGE,
}

X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "base-uri": [NONE],
        "connect-src": [SELF, *STORAGE_ORIGINS],
        "font-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "img-src": [SELF, "data:", *STORAGE_ORIGINS],
        # The admin's Alpine.js evaluates the expressions in its attributes; no inline script runs.
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
    }
}
CORS_ALLOWED_ORIGINS = env.words("CORS_ALLOWED_ORIGINS", [])
CORS_URLS_REGEX = r"^/v1/"
CORS_ALLOW_HEADERS = ["accept", "accept-language", "authorization", "content-type", "idempotency-key"]
CORS_EXPOSE_HEADERS = [
    "Idempotency-Replayed",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "X-Request-Id",
]

# Mail to people who use Recado: password resets and notices. Mail that Recado dispatches has its own accounts.

_mail = env.url("MAIL_URL", "smtp://127.0.0.1:25", schemes=("smtp", "smtp+starttls", "smtps"))
EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port or {"smtp": 25, "smtp+starttls": 587, "smtps": 465}[_mail.scheme]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.username, _mail.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.scheme == "smtp+starttls", _mail.scheme == "smtps"
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("MAIL_FROM", "Recado <recado@localhost>")

# The web process: how many requests it works on at once, and how many may wait before it says that it is busy

WEB_THREADS = env.integer("WEB_THREADS", 16, least=1)
WEB_MOST_WAITING = env.integer("WEB_MOST_WAITING", 512)

# Sockets in one web process; beyond that a client is told to come back later

REALTIME_MOST_SOCKETS = env.integer("REALTIME_MOST_SOCKETS", 10_000, least=1)

# The API

API_RATE_PER_SECOND = env.integer("API_RATE_PER_SECOND", 100, least=1)
API_BURST = env.integer("API_BURST", 200, least=1)
IDEMPOTENCY_HOURS = 24

# The live page offers to make traffic and faults where it is told of simulated providers: in the demo only

SIMULATORS_URL = env.text("SIMULATORS_URL", "")
# Where people open Jaeger; without one, no message links to its trace.
JAEGER_URL = env.text("JAEGER_URL", "").rstrip("/")

# Flower, which the admin shows to superusers: where it listens, and the word without which it answers nobody

FLOWER_URL: str = env.text("FLOWER_URL", "").rstrip("/")
FLOWER_BASIC_AUTH = env.text(
    "FLOWER_BASIC_AUTH",
    None if FLOWER_URL else "",
    hint="name:secret as Flower reads it, 32 characters or more, without a comma",
    least=32,
)

# Logs: one JSON object a line, or coloured lines for a person at a terminal

LOGGING = logging_settings(
    style=env.choice("LOG_STYLE", "json", among=("json", "console")),
    level=env.choice("LOG_LEVEL", "info", among=("debug", "info", "warning", "error")).upper(),
)
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = False
DJANGO_STRUCTLOG_USER_ID_FIELD = None
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = 10

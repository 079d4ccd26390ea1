"""For the world: everything secret or local must be given, and `manage.py check --deploy` has nothing to say."""

from project.env import env
from project.settings.base import *

DEBUG = False
PUBLIC_URL = env.url("PUBLIC_URL", schemes=("https",), hint="the https:// address people use").text.rstrip("/")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL, *env.words("CSRF_TRUSTED_ORIGINS", [])]
env.url("MAIL_URL", schemes=("smtp", "smtp+starttls", "smtps"), hint="smtp+starttls://user:password@host:587")

STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"}}

# TLS ends at the proxy, which must set this header and drop what clients send in it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True
SECURE_HSTS_SECONDS = env.integer("HSTS_SECONDS", 365 * 24 * 60 * 60, least=3600)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("HSTS_INCLUDE_SUBDOMAINS", True)
SECURE_HSTS_PRELOAD = env.flag("HSTS_PRELOAD", True)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-recado-session"
CSRF_COOKIE_NAME = "__Host-recado-csrf"

env.check()

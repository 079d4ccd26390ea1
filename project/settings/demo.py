"""The demo in containers: as production, but over plain HTTP on one's own machine, and with what fills it."""

from project.env import env
from project.settings.base import *

DEBUG = False
INSTALLED_APPS += ["local"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"}}

env.check()

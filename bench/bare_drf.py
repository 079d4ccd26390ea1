"""Contender (c): a bare DRF view that inserts a row and calls `task.delay()`.

The settings and the middleware of `startproject`, the defaults of DRF, no authentication, no validation. It is
spared what `startproject` leaves slow: DEBUG is off, and connections come from a pool like Recado's.

    uvicorn bench.bare_drf:application
"""

import os
from typing import Any
from urllib.parse import urlsplit

from celery import Celery
from django.conf import settings
from django.core.asgi import get_asgi_application

_database = urlsplit(os.environ["DATABASE_URL"])

if not settings.configured:
    settings.configure(
        SECRET_KEY="0" * 50,
        DEBUG=False,
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="bench.bare_drf",
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django.contrib.staticfiles",
            "rest_framework",
        ],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": _database.path.lstrip("/"),
                "USER": _database.username,
                "PASSWORD": _database.password,
                "HOST": _database.hostname,
                "PORT": _database.port,
                "OPTIONS": {"pool": {"min_size": 1, "max_size": 20}},
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )

application = get_asgi_application()

from django.db import models  # noqa: E402 - Django must be set up first
from django.urls import path  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

celery = Celery("bare_drf", broker=os.environ["REDIS_URL"])
celery.conf.update(task_ignore_result=True, task_default_queue="bare_drf")


@celery.task(name="bare_drf.send")
def send(message_id: int) -> None:
    """Nobody runs it: only accepting is measured."""


class Message(models.Model):
    recipient = models.CharField(max_length=254)
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "bare_drf"

    def __str__(self) -> str:
        return self.recipient


class Messages(APIView):
    authentication_classes = ()

    def post(self, request: Request) -> Response:
        data: Any = request.data
        message = Message._default_manager.create(recipient=data["to"], text=data["text"])
        send.delay(message.pk)
        return Response({"id": message.pk}, status=202)


urlpatterns = [path("messages", Messages.as_view())]

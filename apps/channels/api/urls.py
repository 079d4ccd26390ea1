"""The addresses of this app under /v1/."""

from django.urls import path

from apps.channels.api.accounts import ChannelAccountsView, OneChannelAccountView
from apps.channels.api.pauses import DrainView, PauseView, ResumeView
from apps.channels.api.verification import CheckCallbackView, ConnectView, VerifyView

urlpatterns = [
    path("channel-accounts", ChannelAccountsView.as_view()),
    path("channel-accounts/<uuid:account_id>", OneChannelAccountView.as_view()),
    path("channel-accounts/<uuid:account_id>/pause", PauseView.as_view()),
    path("channel-accounts/<uuid:account_id>/drain", DrainView.as_view()),
    path("channel-accounts/<uuid:account_id>/resume", ResumeView.as_view()),
    path("channel-accounts/<uuid:account_id>/verify", VerifyView.as_view()),
    path("channel-accounts/<uuid:account_id>/connect", ConnectView.as_view()),
    path("channel-accounts/<uuid:account_id>/check-callback", CheckCallbackView.as_view()),
]

"""Stop an account's messages, or only new ones, and let them go on."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.roles import Scope
from apps.channels import accounts
from apps.channels.api.accounts import ChannelAccountView
from apps.channels.api.bodies import Pause, Resume, wanted
from apps.channels.api.reader import ChannelAccountReader


class PauseView(ChannelAccountView):
    scopes = {"POST": Scope.CHANNELS_WRITE}

    @extend_schema(request=Pause, responses=ChannelAccountReader, operation_id="channel_accounts_pause")
    def post(self, request: Request, account_id: UUID) -> Response:
        """Pause an account. Its messages are accepted and wait, until it is resumed or `until` has come."""
        account = self.get_object(account_id)
        account = accounts.pause(self.principal, account, **wanted(Pause(data=request.data)))
        return Response(ChannelAccountReader(account).data)


class DrainView(ChannelAccountView):
    scopes = {"POST": Scope.CHANNELS_WRITE}

    @extend_schema(request=Pause, responses=ChannelAccountReader, operation_id="channel_accounts_drain")
    def post(self, request: Request, account_id: UUID) -> Response:
        """Drain an account. It sends what it has and takes no new messages, until it is resumed or `until` has
        come. A paused account stays paused.
        """
        account = self.get_object(account_id)
        account = accounts.drain(self.principal, account, **wanted(Pause(data=request.data)))
        return Response(ChannelAccountReader(account).data)


class ResumeView(ChannelAccountView):
    scopes = {"POST": Scope.CHANNELS_WRITE}

    @extend_schema(request=Resume, responses=ChannelAccountReader, operation_id="channel_accounts_resume")
    def post(self, request: Request, account_id: UUID) -> Response:
        """Let an account go on, be it paused, draining or both. What waits leaves at once, as fast as its limits
        allow.
        """
        account = self.get_object(account_id)
        account = accounts.resume(self.principal, account, **wanted(Resume(data=request.data)))
        return Response(ChannelAccountReader(account).data)

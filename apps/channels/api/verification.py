"""Ask the provider whether an account's credentials are good, tell it where to call us, and try that address."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.roles import Scope
from apps.channels.api.accounts import ChannelAccountView
from apps.channels.api.reader import CallbackCheckReader, ConnectionReader, VerificationReader
from apps.channels.outbound import check_callback, connect, verify


class VerifyView(ChannelAccountView):
    scopes = {"POST": Scope.CHANNELS_WRITE}

    @extend_schema(request=None, responses=VerificationReader, operation_id="channel_accounts_verify")
    def post(self, request: Request, account_id: UUID) -> Response:
        """Verify an account at its provider, without sending anything. Says what a message would meet."""
        error = verify(self.get_object(account_id)).error
        return Response(VerificationReader({"ok": error is None, "error": error}).data)


class ConnectView(ChannelAccountView):
    scopes = {"POST": Scope.CHANNELS_WRITE}

    @extend_schema(request=None, responses=ConnectionReader, operation_id="channel_accounts_connect")
    def post(self, request: Request, account_id: UUID) -> Response:
        """Tell the provider where to call us. `connected` is false where its owner has to do that by hand:
        `callback_url` is what to paste there.
        """
        account = self.get_object(account_id)
        said = connect(account)
        answer = {
            "ok": said.error is None,
            "error": said.error,
            "connected": said.is_called_back,
            "callback_url": account.callback_url,
        }
        return Response(ConnectionReader(answer).data)


class CheckCallbackView(ChannelAccountView):
    scopes = {"POST": Scope.CHANNELS_WRITE}

    @extend_schema(request=None, responses=CallbackCheckReader, operation_id="channel_accounts_check_callback")
    def post(self, request: Request, account_id: UUID) -> Response:
        """Whether the provider can reach us: Recado calls its own public address, by the name that providers know.

        Nothing is sent to the provider.
        """
        account = self.get_object(account_id)
        checked = check_callback(account)
        answer = {
            "ok": checked.is_ok,
            "code": checked.finding,
            "detail": checked.detail,
            "callback_url": account.callback_url,
        }
        return Response(CallbackCheckReader(answer).data)

"""Ask the provider whether an account's credentials are good."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.roles import Scope
from apps.channels.api.accounts import ChannelAccountView
from apps.channels.api.reader import VerificationReader
from apps.channels.outbound import verify


class VerifyView(ChannelAccountView):
    scopes = {"POST": Scope.CHANNELS_WRITE}

    @extend_schema(request=None, responses=VerificationReader, operation_id="channel_accounts_verify")
    def post(self, request: Request, account_id: UUID) -> Response:
        """Verify an account at its provider, without sending anything. Says what a message would meet."""
        failed = verify(self.get_object(account_id))
        return Response(VerificationReader({"ok": failed is None, "error": failed}).data)

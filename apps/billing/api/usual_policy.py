"""What most organizations begin with, by one call."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.idempotency import idempotent
from apps.accounts.roles import Scope
from apps.billing import starter
from apps.billing.api.policies import PolicyView
from apps.billing.api.policy_readers import PolicyReader
from apps.billing.policy_checks import MOST_ACCOUNTS
from apps.core.api.serializers import StrictSerializer


class UsualPolicyBody(StrictSerializer):
    accounts = serializers.ListField(
        child=serializers.UUIDField(),
        max_length=MOST_ACCOUNTS,
        help_text="Channel accounts, in the order in which they are tried.",
    )
    name = serializers.CharField(max_length=80, required=False)


class UsualPolicyView(PolicyView):
    scopes = {"POST": Scope.POLICIES_WRITE}

    @extend_schema(
        request=UsualPolicyBody, responses={201: PolicyReader}, operation_id="reminder_policies_create_usual"
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Courteous templates in Portuguese and English, where they are missing, and a draft of a policy.

        10 and 3 days before, on the day, 1, 5 and 10 days after, then each week up to the 60th. 409 `name_taken`.
        """
        body = UsualPolicyBody(data=request.data)
        body.is_valid(raise_exception=True)
        return self.shown(starter.add(self.principal, **body.validated_data), status=201)

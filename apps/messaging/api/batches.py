"""Many messages in one request."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import ApiView
from apps.accounts.idempotency import idempotent
from apps.accounts.roles import Scope
from apps.messaging.api.bodies import read_batch
from apps.messaging.api.refusals import in_batch, retry_after
from apps.messaging.api.schema import BatchBody, BatchReader
from apps.messaging.engine.accept import accept
from apps.messaging.engine.new_message import Accepted, NewMessage, Refused


class MessageBatchView(ApiView):
    scopes = {"POST": Scope.MESSAGES_WRITE}

    @extend_schema(request=BatchBody, responses={202: BatchReader}, operation_id="messages_batch_create")
    @idempotent
    def post(self, request: Request) -> Response:
        """Send up to 1,000 messages. What is wrong with one keeps no other from being accepted.

        202 whatever became of them: `accepted` and `refused` name each by its index. `Retry-After` says when those
        may come again that were over a daily quota.
        """
        read = read_batch(request.data)
        refused = {n: in_batch(n, each) for n, each in enumerate(read) if isinstance(each, list)}
        wanted = {n: each for n, each in enumerate(read) if isinstance(each, NewMessage)}
        answers = dict(zip(wanted, accept(self.principal.organization, list(wanted.values())), strict=True))
        accepted = [
            {"index": n, "id": answer.id, "conversation_id": answer.place.conversation_id}
            for n, answer in answers.items()
            if isinstance(answer, Accepted)
        ]
        later = {n: answer for n, answer in answers.items() if isinstance(answer, Refused)}
        refused |= {n: in_batch(n, [answer]) for n, answer in later.items()}
        body = {"accepted": accepted, "refused": [refused[n] for n in sorted(refused)]}
        return Response(body, status=202, headers=retry_after(list(later.values())))

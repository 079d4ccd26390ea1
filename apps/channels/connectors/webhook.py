"""Webhooks: a message as JSON to any URL, signed after Standard Webhooks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.channels.capabilities import AddressKind, Capabilities, CredentialField, Limits, MediaRule
from apps.channels.connector import CalledAt, Connector, Outbound
from apps.channels.content import LONGEST_BUTTON_TITLE, Content, MediaKind
from apps.channels.errors import (
    Heard,
    MessageRejected,
    OutcomeUnknown,
    RateLimited,
    RecipientRejected,
    SendFailed,
    Transient,
)
from apps.channels.http_connector import retry_after
from apps.core import clock, standard_webhooks
from apps.core.guarded_http import Answer, GuardedClient, NeverWritten, PerhapsWritten, TargetRefused
from apps.core.limiter import Limit

# With everything else that a message may carry, its JSON stays below 20 kB.
_LONGEST_TEXT = 10_000
_LARGEST_MEDIA = 2 * 1024**3
_MOST_BUTTONS = 10


class Webhook(Connector):
    label = "Webhook"
    capabilities = Capabilities(
        address=AddressKind.URL,
        longest_text=_LONGEST_TEXT,
        text_unit="bytes",
        has_subject=True,
        # Its link travels.
        media=dict.fromkeys(MediaKind, MediaRule(_LARGEST_MEDIA, _LONGEST_TEXT)),
        most_buttons=_MOST_BUTTONS,
        longest_button=LONGEST_BUTTON_TITLE,
        quotes=True,
        # A receiver drops the webhook-id that it has seen: the standard asks that of it.
        sends_are_idempotent=True,
    )
    limits = Limits(account=Limit(rate=100, burst=200), recipient=Limit(rate=20, burst=40))
    credentials = (CredentialField("signing_secret", _("It starts with whsec_ and signs every call.")),)
    provider_account = ""
    called_at = CalledAt.NOWHERE

    @classmethod
    def bad_credentials(cls, credentials: Mapping[str, str]) -> dict[str, str]:
        if standard_webhooks.is_secret(credentials["signing_secret"]):
            return {}
        return {"signing_secret": gettext("Needed: whsec_ and the Base64 of 24 to 64 random bytes.")}

    async def send(self, client: GuardedClient, outbound: Outbound) -> str:
        message_id, now = str(outbound.message_id), clock.now()
        body = orjson.dumps(_document(outbound, now))
        secret = outbound.credentials["signing_secret"]
        signed = standard_webhooks.headers([secret], message_id, int(now.timestamp()), body)
        headers = {"Content-Type": "application/json", **signed}
        try:
            answer = await client.request("POST", outbound.to, headers=headers, body=body)
        except TargetRefused as refused:
            raise RecipientRejected("target_refused", refused.reason) from refused
        except NeverWritten as error:
            raise Transient("unreachable", str(error), blames_provider=False) from error
        except PerhapsWritten as error:
            raise OutcomeUnknown("no_answer", str(error), blames_provider=False) from error
        if not 200 <= answer.status < 300:
            failure = _failure(answer)
            failure.heard = Heard(answer.status, "")  # the body is a stranger's, and meant for nobody here
            raise failure
        return message_id

    def shown_request(self, outbound: Outbound) -> str:
        document = orjson.dumps(_document(outbound, clock.now()), option=orjson.OPT_INDENT_2).decode()
        return (
            f"POST {outbound.to}\nContent-Type: application/json\nwebhook-id: {outbound.message_id}\n\n{document}"
        )

    async def check(self, client: GuardedClient, credentials: Mapping[str, str]) -> None:
        """There is nobody to ask: the secret is the owner's own, and each message names its target."""


CONNECTOR = Webhook


def _document(outbound: Outbound, now: datetime) -> dict[str, Any]:
    return {
        "type": "message",
        "id": str(outbound.message_id),
        "timestamp": now.isoformat(),
        "data": _data(outbound.content, outbound.answers),
    }


def _data(content: Content, answers: str) -> dict[str, Any]:
    """What is there, and nothing that is not."""
    data: dict[str, Any] = {"text": content.text}
    if content.subject:
        data["subject"] = content.subject
    if content.media is not None:
        media = content.media
        data["media"] = {
            "kind": media.kind,
            "url": media.url,
            "file_name": media.file_name,
            "media_type": media.media_type,
        }
    if content.buttons:
        data["buttons"] = [{"id": button.id, "title": button.title} for button in content.buttons]
    if answers:
        data["reply_to"] = answers
    return data


def _failure(answer: Answer) -> SendFailed:
    """By the status."""
    code, wait = str(answer.status), retry_after(answer)
    match answer.status:
        case 410:
            return RecipientRejected(code, "The target is gone.", opted_out=True)
        case 429:
            return RateLimited(code, "The target is called too often.", scope="recipient", retry_after=wait)
        case 408:
            return Transient(code, "The target was not fast enough.", retry_after=wait, blames_provider=False)
        case status if status >= 500:
            return Transient(code, "The target failed.", retry_after=wait, blames_provider=False)
        case status if status < 400:
            # Neither followed nor tried again: whoever moved a webhook tells its sender where to.
            return RecipientRejected(code, "The target answers with a redirect.")
    return MessageRejected(code, "The target refused.")

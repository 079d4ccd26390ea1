"""What a person writes on WhatsApp, as a signed callback."""

import hashlib
import hmac
import time

import orjson

from bench.load import post
from bench.office import PHONE_NUMBER_ID
from bench.stage import APP_SECRET


def callback(person: int, number: int, text: str) -> bytes:
    """`number` is another one for each message."""
    wa_id = f"55119{10_000_000 + person}"
    message = {
        "from": wa_id,
        "id": f"wamid.in{number}",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": text},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "551130000000", "phone_number_id": PHONE_NUMBER_ID},
        "contacts": [{"wa_id": wa_id, "profile": {"name": f"Pessoa {person}"}}],
        "messages": [message],
    }
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    body = orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]})
    signature = hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
    return post("/v1/hooks/whatsapp_cloud", body, f"X-Hub-Signature-256: sha256={signature}\r\n")

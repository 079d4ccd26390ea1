"""Dispatching: where the providers are, and what a new channel account starts with."""

from project.env import env

# The others say with each account where they are.
CONNECTOR_URLS = {
    "whatsapp_cloud": env.url(
        "WHATSAPP_CLOUD_URL", "https://graph.facebook.com/v23.0", schemes=("https", "http")
    ).text,
    "instagram": env.url("INSTAGRAM_URL", "https://graph.instagram.com/v23.0", schemes=("https", "http")).text,
    "telegram": env.url("TELEGRAM_URL", "https://api.telegram.org", schemes=("https", "http")).text,
    "sms": env.url("TWILIO_URL", "https://api.twilio.com", schemes=("https", "http")).text,
}
# Addresses that outbound calls may reach although they are not public, such as 127.0.0.0/8.
OUTBOUND_ALLOWED_NETWORKS = env.networks("OUTBOUND_ALLOWED_NETWORKS")
# How long a provider may take to answer. A lease lasts four times as long.
OUTBOUND_SECONDS = env.integer("OUTBOUND_SECONDS", 15, least=1)
# How many messages one drain has at the provider at once, and how many drains one account may keep busy.
DRAIN_CONCURRENCY = env.integer("DRAIN_CONCURRENCY", 200, least=1)
DRAINS_PER_ACCOUNT = env.integer("DRAINS_PER_ACCOUNT", 4, least=1)
RESILIENCE_BREAKER_FAILURES = env.integer("RESILIENCE_BREAKER_FAILURES", 3, least=1)
RESILIENCE_BREAKER_SECONDS = env.integer("RESILIENCE_BREAKER_SECONDS", 45, least=1)
RESILIENCE_RETRY_ATTEMPTS = env.integer("RESILIENCE_RETRY_ATTEMPTS", 5, least=1)
RESILIENCE_RETRY_BASE_MS = env.integer("RESILIENCE_RETRY_BASE_MS", 2000, least=1)

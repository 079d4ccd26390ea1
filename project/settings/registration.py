"""Registration: how what people write is read and checked, and how personal data is kept."""

from project.env import env

# People are found again by digests under this key: another one later finds nobody who was there before.
VAULT_DIGEST_KEY = env.text("VAULT_DIGEST_KEY", hint="32 or more random characters, never changed again", least=32)

# Whether name servers are asked if a domain takes mail, before an e-mail address is believed.
REGISTRATION_CHECKS_MAIL_DOMAINS = env.flag("REGISTRATION_CHECKS_MAIL_DOMAINS", False)
# Where streets are looked up by postal code: nowhere, or in the table of the demonstration, which is made up.
REGISTRATION_POSTAL_CODES = env.choice("REGISTRATION_POSTAL_CODES", "", among=("local",))

# A language model of the operator's own, which reads what rules are not sure of; nowhere, then rules read alone.
OLLAMA_URL = env.text("OLLAMA_URL", "").rstrip("/")
OLLAMA_MODEL = env.text("OLLAMA_MODEL", "phi3")
# How long one message may take it, while somebody waits for an answer.
OLLAMA_SECONDS: float = env.integer("OLLAMA_SECONDS", 4, least=1)

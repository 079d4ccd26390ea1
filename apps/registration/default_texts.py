"""The usual words, where a flow has none of its own: courteous, short, in Portuguese and in English.

They are written out by language and not translated as pages are: a person is spoken to in the language of the
conversation, whatever the installation speaks.
"""

from collections.abc import Mapping

from apps.registration.kinds import Kind

CONSENT = "consent"
# What a flow may say in words of its own; beside the consent, which has no usual words.
NAMES = (
    CONSENT,
    "welcome", "consent_ask", "welcome_back", "which_change", "summary", "done", "declined", "stopped",
    "not_understood", "handed_over", "handed_back", "still_there", "closed", "skipped", "required",
)  # fmt: skip

_PORTUGUESE: Mapping[str, str] = {
    "welcome": "Olá! Vamos fazer o seu cadastro por aqui. Se quiser desistir, é só dizer “não quero mais”.",
    "consent_ask": "Podemos continuar? Responda “sim” ou “não”.",
    "welcome_back": "Olá de novo! Estes são os dados que temos:",
    "which_change": "O que você quer mudar? Pode mandar já o dado novo.",
    "summary": "Confira, por favor. Está tudo certo? Responda “sim”, ou diga o que está errado.",
    "done": "Pronto, o seu cadastro está feito. Obrigado!",
    "declined": "Tudo bem, nada foi guardado. Se mudar de ideia, é só escrever de novo.",
    "stopped": "Combinado, parei por aqui e nada foi guardado. Se quiser recomeçar, é só escrever.",
    "not_understood": "Desculpe, não entendi.",
    "handed_over": "Vou chamar uma pessoa da equipe para ajudar. Ela responde por aqui mesmo.",
    "handed_back": "Voltei! Vamos continuar de onde paramos.",
    "still_there": "Ainda está por aí? Falta pouco para terminar o cadastro.",
    "closed": "Como não tivemos resposta, encerrei por enquanto. Nada foi guardado; é só escrever para recomeçar.",
    "skipped": "Tudo bem, pulamos essa.",
    "required": "Esse dado é necessário para o cadastro.",
}
_ENGLISH: Mapping[str, str] = {
    "welcome": "Hello! Let us register you right here. To end it at any time, just say “I changed my mind”.",
    "consent_ask": "May we go on? Answer “yes” or “no”.",
    "welcome_back": "Hello again! This is what we have:",
    "which_change": "What would you like to change? You can send the new value right away.",
    "summary": "Please have a look. Is all of it right? Answer “yes”, or say what is wrong.",
    "done": "Done, you are registered. Thank you!",
    "declined": "All right, nothing was kept. Should you change your mind, just write again.",
    "stopped": "All right, we end here and nothing was kept. To begin again, just write.",
    "not_understood": "Sorry, I did not understand that.",
    "handed_over": "I am calling somebody of the team to help. They will answer right here.",
    "handed_back": "I am back! Let us go on where we stopped.",
    "still_there": "Are you still there? There is not much left to do.",
    "closed": "As there was no answer, I closed this for now. Nothing was kept; to begin again, just write.",
    "skipped": "All right, we skip that.",
    "required": "It does not work without that one.",
}
_ASKS: Mapping[str, Mapping[Kind, str]] = {
    "pt": {
        Kind.NAME: "Qual é o seu nome completo?",
        Kind.EMAIL: "Qual é o seu e-mail?",
        Kind.PHONE: "Qual é o seu telefone, com DDD?",
        Kind.TAX_ID: "Qual é o seu CPF ou CNPJ?",
        Kind.POSTAL_ADDRESS: "Qual é o seu endereço, com número e CEP?",
        Kind.BIRTH_DATE: "Qual é a sua data de nascimento?",
    },
    "en": {
        Kind.NAME: "What is your full name?",
        Kind.EMAIL: "What is your e-mail address?",
        Kind.PHONE: "What is your phone number, with area code?",
        Kind.TAX_ID: "What is your CPF or CNPJ?",
        Kind.POSTAL_ADDRESS: "What is your address, with number and postal code?",
        Kind.BIRTH_DATE: "What is your date of birth?",
    },
}
_HELPS: Mapping[str, Mapping[Kind, str]] = {
    "pt": {
        Kind.NAME: "Por exemplo: Maria da Silva.",
        Kind.EMAIL: "Por exemplo: maria@exemplo.com.br.",
        Kind.PHONE: "Por exemplo: (11) 91234-5678.",
        Kind.TAX_ID: "São os 11 números do CPF, ou os 14 caracteres do CNPJ.",
        Kind.POSTAL_ADDRESS: "Por exemplo: Rua das Flores, 123, Centro, São Paulo - SP, 01001-000.",
        Kind.BIRTH_DATE: "Por exemplo: 31/12/1990.",
        Kind.FREE: "Responda com as suas palavras.",
    },
    "en": {
        Kind.NAME: "For instance: Mary Smith.",
        Kind.EMAIL: "For instance: mary@example.com.",
        Kind.PHONE: "For instance: (11) 91234-5678.",
        Kind.TAX_ID: "That is the 11 digits of a CPF, or the 14 characters of a CNPJ.",
        Kind.POSTAL_ADDRESS: "For instance: Rua das Flores, 123, Centro, São Paulo - SP, 01001-000.",
        Kind.BIRTH_DATE: "For instance: 31/12/1990.",
        Kind.FREE: "Answer in your own words.",
    },
}
_LABELS: Mapping[str, Mapping[Kind, str]] = {
    "pt": {
        Kind.NAME: "Nome", Kind.EMAIL: "E-mail", Kind.PHONE: "Telefone", Kind.TAX_ID: "CPF/CNPJ",
        Kind.POSTAL_ADDRESS: "Endereço", Kind.BIRTH_DATE: "Nascimento", Kind.FREE: "Resposta",
    },
    "en": {
        Kind.NAME: "Name", Kind.EMAIL: "E-mail", Kind.PHONE: "Phone", Kind.TAX_ID: "CPF/CNPJ",
        Kind.POSTAL_ADDRESS: "Address", Kind.BIRTH_DATE: "Born", Kind.FREE: "Answer",
    },
}  # fmt: skip


def text(name: str, language: str) -> str:
    return (_PORTUGUESE if _short(language) == "pt" else _ENGLISH).get(name, "")


def ask(kind: Kind, language: str) -> str:
    return _ASKS[_short(language)].get(kind, "")


def help_with(kind: Kind, language: str) -> str:
    return _HELPS[_short(language)][kind]


def label(kind: Kind, language: str) -> str:
    return _LABELS[_short(language)][kind]


def _short(language: str) -> str:
    """Other languages are spoken in words of the flow's own; where these are missing, in English."""
    return "pt" if language.lower().startswith("pt") else "en"

"""Whether anybody takes mail where people say: asked of name servers, before any row is locked."""

import time
from collections.abc import Mapping
from dataclasses import replace

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from apps.registration.conversation.heard import Heard, Mistake
from apps.registration.kinds import Kind

# For all that is heard at once: people wait for an answer. What was not asked by then is believed.
SECONDS = 5.0


def without_dead_domains[Key](heard: Mapping[Key, tuple[Heard, str]]) -> dict[Key, Heard]:
    """With the language of each, in which a mistake is told. Of each the first address counts."""
    until = time.monotonic() + SECONDS
    takes: dict[str, bool] = {}
    return {key: _judged(each, language, takes, until) for key, (each, language) in heard.items()}


def _judged(heard: Heard, language: str, takes: dict[str, bool], until: float) -> Heard:
    address = next((value for kind, value in heard.values if kind is Kind.EMAIL), None)
    if address is None or not settings.REGISTRATION_CHECKS_MAIL_DOMAINS:
        return heard
    domain = address.rpartition("@")[2]
    # It speaks DNS with a library that takes long to load, in every process, and is wanted in few.
    from apps.registration.validation import mail_domains  # noqa: PLC0415

    if domain not in takes and time.monotonic() < until:
        takes[domain] = mail_domains.may_take_mail(domain)
    if takes.get(domain, True):
        return heard
    with translation.override(language.lower()):
        detail = _("Nobody takes mail at %(domain)s. Check what you wrote after the @.") % {"domain": domain}
    values = tuple(each for each in heard.values if each != (Kind.EMAIL, address))
    return replace(heard, values=values, mistakes=(*heard.mistakes, Mistake(Kind.EMAIL, "no_such_domain", detail)))

"""Slips of the finger in the domains that most people have their mail with."""

import re

# No such endings exist, whatever comes before them.
_NO_ENDINGS = {
    "con": "com",
    "cmo": "com",
    "ocm": "com",
    "vom": "com",
    "xom": "com",
    "cim": "com",
    "comm": "com",
    "coom": "com",
    "comn": "com",
    "combr": "com.br",
    "com.b": "com.br",
    "con.br": "com.br",
    "cmo.br": "com.br",
    "vom.br": "com.br",
    "comb.r": "com.br",
}
# Only long names: a letter away from a short one somebody else may well live.
_PROVIDERS = {
    "gmail": ("com",),
    "icloud": ("com",),
    "protonmail": ("com",),
    "hotmail": ("com", "com.br"),
    "outlook": ("com", "com.br"),
    "yahoo": ("com", "com.br"),
}
_OF_A_COUNTRY = re.compile(r"com\.[a-z]{2}")


def meant(domain: str) -> str | None:
    """What the person probably meant; None where nothing looks wrong."""
    right = _rightly_ended(domain)
    name, _dot, ending = right.partition(".")
    provider = next((known for known in _PROVIDERS if _is_meant(name, known)), None)
    if provider and (right_ending := _ending(ending, _PROVIDERS[provider])):
        right = f"{provider}.{right_ending}"
    return right if right != domain else None


def _rightly_ended(domain: str) -> str:
    for wrong, right in _NO_ENDINGS.items():
        if domain.endswith(f".{wrong}"):
            return domain.removesuffix(wrong) + right
    return domain


def _is_meant(name: str, known: str) -> bool:
    """First letters are seldom mistaken: email.com, ymail.com and mail.com exist."""
    return name == known or (name[:1] == known[:1] and _is_slip(name, known))


def _ending(written: str, known: tuple[str, ...]) -> str | None:
    if written in known:
        return written
    if _OF_A_COUNTRY.fullmatch(written):
        return "com" if written == "com.br" else None
    return next((ending for ending in known if _is_slip(written, ending)), None)


def _is_slip(written: str, meant: str) -> bool:
    """A letter too many, one too few, another one, or two that changed places."""
    pairs = enumerate(zip(written, meant, strict=False))
    alike = next((n for n, (one, other) in pairs if one != other), min(len(written), len(meant)))
    left, right = written[alike:], meant[alike:]
    is_swapped = left[:2] == right[:2][::-1] and left[2:] == right[2:]
    return written != meant and (left[1:] == right[1:] or left[1:] == right or left == right[1:] or is_swapped)

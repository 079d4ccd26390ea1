"""Names that came from elsewhere, as a file here may be called."""

import re

LONGEST_BYTES = 200
UNNAMED = "file"
# Of paths, drives and shells, and what no system takes.
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|]')
# What Windows takes for a device, whatever comes after the dot.
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def safe_name(given: str) -> str:
    """A name and nothing else: in no other folder, not hidden, and no option of any command."""
    last = re.split(r"[/\\]", given)[-1]
    name = "".join(each if each.isprintable() else "_" for each in _FORBIDDEN.sub("_", last))
    name = name.lstrip(" .-").rstrip(" .")
    if _DEVICE.match(name):
        name = f"_{name}"
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 20:
        stem, dot, ending = name, "", ""
    room = LONGEST_BYTES - len(f"{dot}{ending}".encode())
    return f"{stem.encode()[:room].decode(errors='ignore')}{dot}{ending}" or UNNAMED

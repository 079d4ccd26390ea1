"""What a file is, by its content. What its sender says of it is heard only where content cannot tell."""

from codecs import getincrementaldecoder

import filetype

# How much of a file's beginning is looked at.
HEAD_BYTES = 8192
UNKNOWN = "application/octet-stream"
TEXT = "text/plain"
# A container whose kind only the name tells: what is in it need not be at its beginning.
_IN_ZIP = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}
_TEXTS = {"csv": "text/csv", "json": "application/json", "vcf": "text/vcard", "ics": "text/calendar"}
# A browser would carry out what stands in them: handed out only as something to save, of no type.
_MARKUP = (b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<svg", b"<?xml", b"<iframe", b"<math")
# What a browser may show in place. Nothing in these runs.
_SHOWN = frozenset(
    {
        "image/jpeg", "image/png", "image/gif", "image/webp", "audio/mpeg", "audio/ogg", "audio/mp4", "audio/aac",
        "audio/amr", "audio/x-wav", "video/mp4", "video/webm", "application/pdf",
    }
)  # fmt: skip


def type_of(head: bytes, name: str) -> str:
    """`head` is how the file begins; the name chooses among what this may be, and nothing more."""
    ending = name.rpartition(".")[2].lower()
    found = filetype.guess_mime(head) if head else None
    if found == "application/zip":
        return _IN_ZIP.get(ending, "application/zip")
    if found is not None:
        return str(found)
    if not head or not _is_text(head):
        return UNKNOWN
    if any(mark in head.lower() for mark in _MARKUP):
        return "image/svg+xml" if b"<svg" in head.lower() else "text/html" if ending != "xml" else "text/xml"
    return _TEXTS.get(ending, TEXT)


def kind_of(media_type: str) -> str:
    """image, audio, video or document: the words in which messages speak of media."""
    family = media_type.partition("/")[0]
    return family if family in {"image", "audio", "video"} and media_type in _SHOWN else "document"


def may_be_shown(media_type: str) -> bool:
    return media_type in _SHOWN


def handed_out_as(media_type: str) -> str:
    """The type that a download is labelled with."""
    is_harmless = media_type in _SHOWN or media_type in _IN_ZIP.values() or media_type == "application/zip"
    return media_type if is_harmless else UNKNOWN


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        # A letter may be cut in two where the head ends.
        getincrementaldecoder("utf-8")().decode(head, final=len(head) < HEAD_BYTES)
    except UnicodeDecodeError:
        return False
    return True

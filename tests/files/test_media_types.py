import io
import zipfile

import pytest

from apps.files.media_types import HEAD_BYTES, handed_out_as, kind_of, may_be_shown, type_of
from tests.files.pictures import picture


def zipped(*names: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name in names:
            archive.writestr(name, "<x/>" * 50)
    return written.getvalue()


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TYPES = [
    (picture("PNG"), "x.pdf", "image/png"),
    (picture("JPEG"), "x.html", "image/jpeg"),
    (picture("GIF"), "", "image/gif"),
    (picture("WEBP"), "", "image/webp"),
    (b"%PDF-1.7\n" + b"x" * 100, "x.exe", "application/pdf"),
    (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2mp41" + bytes(300), "v", "video/mp4"),
    (b"ID3\3" + bytes(300), "a.mp3", "audio/mpeg"),
    (zipped("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"), "x.zip", XLSX),
    (zipped("a.txt"), "a.zip", "application/zip"),
    (zipped("mimetype"), "a.xlsx", XLSX),
    (b"<!DOCTYPE html><script>alert(1)</script>", "x.png", "text/html"),
    (b"hello <SCRIPT>alert(1)</SCRIPT>", "x.txt", "text/html"),
    (b"<svg onload=alert(1)>", "x.png", "image/svg+xml"),
    (b"a,b\n1,2\n", "x.csv", "text/csv"),
    ("olá".encode(), "x.exe", "text/plain"),
    (b"{}", "x.json", "application/json"),
    (b"", "x.pdf", "application/octet-stream"),
    (bytes(range(256)), "x.pdf", "application/octet-stream"),
    (("é" * HEAD_BYTES).encode()[:HEAD_BYTES], "x.txt", "text/plain"),
    (("x" + "é" * HEAD_BYTES).encode()[:HEAD_BYTES], "x.txt", "text/plain"),
]


@pytest.mark.parametrize(("head", "name", "expected"), TYPES, ids=map(str, range(len(TYPES))))
def test_type_is_found_by_content(head: bytes, name: str, expected: str) -> None:
    assert type_of(head[:HEAD_BYTES], name) == expected


@pytest.mark.parametrize(
    "media_type", ["text/html", "image/svg+xml", "text/xml", "text/plain", "application/json"]
)
def test_what_may_run_is_only_saved(media_type: str) -> None:
    assert not may_be_shown(media_type)
    assert handed_out_as(media_type) == "application/octet-stream"
    assert kind_of(media_type) == "document"


@pytest.mark.parametrize(
    ("media_type", "kind"),
    [("image/png", "image"), ("audio/mpeg", "audio"), ("video/mp4", "video"), ("application/pdf", "document"),
     ("image/tiff", "document"), ("application/zip", "document")],
)  # fmt: skip
def test_kind_is_what_a_message_would_call_it(media_type: str, kind: str) -> None:
    assert kind_of(media_type) == kind

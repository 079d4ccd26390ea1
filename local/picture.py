"""A small picture, made of nothing but the rules of PNG."""

import struct
import zlib

SIDE = 96


def loaf(seed: int) -> bytes:
    """A round loaf on a board; the seed chooses how well it is baked."""
    crust = (150 + seed * 37 % 80, 90 + seed * 17 % 50, 40 + seed * 7 % 30)
    rows = b"".join(b"\0" + b"".join(bytes(_color(x, y, crust)) for x in range(SIDE)) for y in range(SIDE))
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _color(x: int, y: int, crust: tuple[int, int, int]) -> tuple[int, int, int]:
    away = ((x - SIDE / 2) ** 2 + (1.3 * (y - SIDE / 2)) ** 2) / (SIDE / 2.4) ** 2
    if away > 1:
        return 236, 224, 205
    is_cut = abs(x - y) % 24 < 3 and away < 0.6
    light = 60 if is_cut else round(40 * (1 - away))
    return crust[0] + min(light, 255 - crust[0]), crust[1] + light, crust[2] + light


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

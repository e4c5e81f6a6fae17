"""Decompressing bodies up to a limit, so that a bomb ends where the limit is."""

import zlib
from typing import Final, Protocol

ACCEPTED: Final = "gzip, deflate"
"""What is asked for. Brotli and zstd have no decoder in Python 3.11 whose output can be limited."""


MAX_MEMBERS: Final = 64
"""Most gzip members of a body. Empty ones cost time and give nothing, however many there are."""


class CorruptError(Exception):
    """The body is not what its Content-Encoding says."""


class Decoder(Protocol):
    """Takes a body apart as it comes."""

    def decode(self, data: bytes, room: int) -> bytes:
        """Return what `data` decodes to, at most `room` bytes of it. Raises `CorruptError`."""
        ...


class Inflater:
    """gzip and deflate. What is called deflate is zlib's format or, from some servers, its bare content."""

    def __init__(self, *, is_gzip: bool) -> None:
        self._is_gzip = is_gzip
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16 if is_gzip else zlib.MAX_WBITS)
        self._has_begun = False
        self._members = 0

    def decode(self, data: bytes, room: int) -> bytes:
        """Return what `data` decodes to, at most `room` bytes; members of gzip that follow each other are one body."""
        out = bytearray()
        while data and len(out) < room:
            try:
                out += self._inflate.decompress(data, room - len(out))
            except zlib.error:
                if self._members:
                    break  # something behind the body, which browsers do not mind either
                self._take_for_bare()
                continue
            self._has_begun = True
            if not self._inflate.eof:
                break
            self._members += 1
            if self._members > MAX_MEMBERS:
                raise CorruptError
            data = self._inflate.unused_data
            self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        return bytes(out)

    def _take_for_bare(self) -> None:
        """Try the other meaning of deflate, once, at its beginning."""
        if self._has_begun or self._is_gzip:
            raise CorruptError
        self._has_begun = True
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)


def decoder(encoding: str) -> Decoder | None:
    """Return the decoder of a Content-Encoding, or None where the body is to be left as it is."""
    match encoding.strip().lower():
        case "gzip" | "x-gzip":
            return Inflater(is_gzip=True)
        case "deflate":
            return Inflater(is_gzip=False)
        case _:
            return None

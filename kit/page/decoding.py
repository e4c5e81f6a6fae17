"""From bytes to text: which encoding a page is in, when its server, its author and its bytes disagree.

In this order, the first that fits the bytes: the byte order mark, the charset of the Content-Type header, that of the
page's own `<meta>`, UTF-8, and what charset-normalizer makes of the bytes. A declaration fits unless more than one
character in a hundred is damaged by it. Latin-1 and its kin fit anything, so bytes that are valid UTF-8 win over them.
"""

import codecs
import re
from typing import Final

from charset_normalizer import from_bytes

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDENED: Final = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "tis-620": "cp874",
    "big5": "big5hkscs",
    "utf-16": "utf-16-le",
    "utf-8-sig": "utf-8",
}
"""What browsers read a declared encoding as: its superset (Encoding Standard of the WHATWG, section 4.2)."""

_KNOWN: Final = frozenset({
    "utf-8", "utf-16-le", "utf-16-be", "gb18030", "hz", "big5hkscs", "euc_jp", "iso2022_jp", "cp932", "cp949",
    "cp866", "koi8-r", "koi8-u", "mac-roman", "mac-cyrillic", "cp874",
    "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258",
    "iso8859-2", "iso8859-3", "iso8859-4", "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8", "iso8859-10",
    "iso8859-13", "iso8859-14", "iso8859-15", "iso8859-16",
})  # fmt: skip
"""Encodings of the web. Python's other codecs (utf-7, idna, unicode_escape …) turn bytes into surprises."""

_LATIN: Final = frozenset({"cp1252", "cp1254", "iso8859-15"})
_CHARSET: Final = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9._:\-]{1,40})", re.IGNORECASE)
_META: Final = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9._:\-]{1,40})", re.IGNORECASE)
_XML: Final = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:\-]{1,40})", re.IGNORECASE)
_META_BYTES: Final = 4_096
_SAMPLE_BYTES: Final = 32_768
_DAMAGED_SHARE: Final = 0.01
_REPLACEMENT: Final = "\ufffd"


def decode(body: bytes, content_type: str | None) -> str:
    """Return the text of a page, which may be cut in the middle of a character. Never raises."""
    for mark, marked in _BOMS:
        if body.startswith(mark):
            return _replaced(body[len(mark) :], marked)
    is_utf8 = _strict(body, "utf-8")
    for label in (header_charset(content_type), _meta_charset(body)):
        encoding = _encoding(label)
        if encoding is None or (encoding in _LATIN and is_utf8 is not None):
            continue
        fitting = _fitting(body, encoding)
        if fitting is not None:
            return fitting
    if is_utf8 is not None:
        return is_utf8
    guessed = _guessed(body)
    if guessed is not None:
        return _replaced(body, guessed)
    return _fitting(body, "utf-8") or _replaced(body, "cp1252")


def header_charset(content_type: str | None) -> str | None:
    """Return the charset that a Content-Type header names."""
    found = _CHARSET.search(content_type or "")
    return found.group(1) if found else None


def _meta_charset(body: bytes) -> str | None:
    found = _META.search(body[:_META_BYTES]) or _XML.search(body[:_META_BYTES])
    return found.group(1).decode("ascii") if found else None


def _encoding(label: str | None) -> str | None:
    if label is None:
        return None
    try:
        name = codecs.lookup(label).name
    except LookupError:
        return None
    name = _WIDENED.get(name, name)
    return name if name in _KNOWN else None


def _strict(body: bytes, encoding: str) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)("strict").decode(body)
    except UnicodeDecodeError:
        return None


def _replaced(body: bytes, encoding: str) -> str:
    return codecs.getincrementaldecoder(encoding)("replace").decode(body)


def _fitting(body: bytes, encoding: str) -> str | None:
    text = _strict(body, encoding)
    if text is None:
        text = _replaced(body, encoding)
        if text.count(_REPLACEMENT) > max(1.0, len(text) * _DAMAGED_SHARE):
            return None
    return text


def _guessed(body: bytes) -> str | None:
    best = from_bytes(body[:_SAMPLE_BYTES]).best()
    return _encoding(best.encoding) if best is not None else None

"""Which characters the bytes of a file mean, decided from its first bytes."""

import codecs
import re
from pathlib import Path
from typing import Final

SNIFF_BYTES: Final = 65_536
"""How much of a file is looked at to tell its encoding and its format."""

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED: Final = re.compile(
    rb"""<(?:meta|\?xml)\b[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?\s*([\w:.\-]{1,40})""", re.IGNORECASE
)
# Only encodings in which ASCII bytes mean ASCII: a declaration readable as ASCII cannot truly say anything else.
_TRUSTED: Final = re.compile(
    r"cp125\d|cp866|cp874|cp932|cp949|cp950|iso8859-\d+|koi8-[ru]|gbk|gb2312|gb18030|big5|big5hkscs"
    r"|euc_jp|euc_kr|shift_jis|mac-\w+"
)


def read_prefix(path: Path, size: int = SNIFF_BYTES) -> bytes:
    """Return the first `size` bytes of the file."""
    with path.open("rb") as file:
        return file.read(size)


def text_encoding(prefix: bytes) -> str:
    """Return the name of the codec for a file that begins with `prefix`; UTF-8 when nothing says otherwise.

    A byte order mark wins, then NUL bytes that betray UTF-16, then what an HTML or XML head declares.
    Decode with `errors="replace"`: the answer is a good guess and no promise.
    """
    for mark, name in _MARKS:
        if prefix.startswith(mark):
            return name
    if prefix[:1] and prefix[1:4:2] == b"\0\0" and prefix[0:1] != b"\0":
        return "utf-16-le"
    if prefix[0:3:2] == b"\0\0" and prefix[1:2] not in {b"", b"\0"}:
        return "utf-16-be"
    declared = _DECLARED.search(prefix, 0, 4096)
    return "utf-8" if declared is None else _trusted(declared.group(1).decode("ascii", "ignore"))


def _trusted(label: str) -> str:
    try:
        name = codecs.lookup(label).name
    except LookupError:
        return "utf-8"
    if name in {"iso8859-1", "ascii"}:
        return "cp1252"  # what browsers mean by these labels
    return name if _TRUSTED.fullmatch(name) else "utf-8"


def decoded_prefix(prefix: bytes) -> str:
    """Return the beginning of a file as text, without byte order mark and NUL characters."""
    return prefix.decode(text_encoding(prefix), "replace").replace("\0", "").lstrip("\ufeff")

"""The words of an address, for full-text search."""

import re
from typing import Final
from urllib.parse import unquote

import can_ada

MAX_WORDS_CHARS: Final = 1000
"""Longest answer of `url_words`, in characters."""

_MAX_WORD_CHARS: Final = 64  # longer ones are hashes and tokens that nobody types
_WORD: Final = re.compile(r"[^\W_]+")
_PLACE: Final = re.compile(r"(?:[^:/?#]*:)?/*(?:[^/?#@]*@)?([^/?#:]*)(?::[0-9]*)?([^?#]*)")


def url_words(url: str) -> str:
    """Return the words of host and path, in order, each once, joined by spaces; `www` and credentials left out.

    Escapes are decoded (bad UTF-8 is dropped) and punycode hosts shown in their own script. Takes any text, best
    `UrlIdentity.canonical`; never raises; at most `MAX_WORDS_CHARS` characters.
    """
    match = _PLACE.match(url)
    if match is None:
        return ""
    host, path = match.group(1), match.group(2)
    if "xn--" in host and host.isascii():
        host = can_ada.idna_decode(host.encode("ascii"))  # type: ignore[arg-type]  # the stub says str, wrongly
    if "%" in path:
        path = unquote(path, errors="ignore")
    words: dict[str, None] = {}
    room = MAX_WORDS_CHARS
    for word in _WORD.findall(f"{host.removeprefix('www.')} {path}"):
        if len(word) > _MAX_WORD_CHARS or word in words:
            continue
        room -= len(word) + 1
        if room < 0:
            break
        words[word] = None
    return " ".join(words)

"""What makes two addresses the same bookmark.

`identify(url)` turns whatever a person or a file offers into a `UrlIdentity`: the address as given, one that
can be opened, and a 16-byte key. One owner has one bookmark per key; the database guards that with a unique index.
`locate(url)` takes an address apart for fetching it (`WebAddress`).
The only error that either raises is `RefusedUrl`, a `BadInput` whose `reason` is a stable code for import reports.
"""

from kit.urls.address import WebAddress, locate
from kit.urls.identity import KEY_VERSION, MAX_URL_BYTES, RefusedUrl, UrlIdentity, UrlRefusal, identify
from kit.urls.words import MAX_WORDS_CHARS, url_words

__all__ = [
    "KEY_VERSION",
    "MAX_URL_BYTES",
    "MAX_WORDS_CHARS",
    "RefusedUrl",
    "UrlIdentity",
    "UrlRefusal",
    "WebAddress",
    "identify",
    "locate",
    "url_words",
]

"""What makes two addresses the same bookmark.

`identify(url)` turns whatever a person or a file offers into a `UrlIdentity`: the address as given, one that
can be opened, and a 16-byte key. One owner has one bookmark per key; the database guards that with a unique index.
The only error it raises is `RefusedUrl`, a `BadInput` whose `reason` is a stable code for import reports.
"""

from kit.urls.identity import KEY_VERSION, MAX_URL_BYTES, RefusedUrl, UrlIdentity, UrlRefusal, identify
from kit.urls.words import MAX_WORDS_CHARS, url_words

__all__ = [
    "KEY_VERSION",
    "MAX_URL_BYTES",
    "MAX_WORDS_CHARS",
    "RefusedUrl",
    "UrlIdentity",
    "UrlRefusal",
    "identify",
    "url_words",
]

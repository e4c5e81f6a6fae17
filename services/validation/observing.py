"""Observations as JSON, for the answers that all owners of an address share; and which addresses are one."""

import base64
import hashlib
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from kit.urls import RefusedUrl, identify
from services.validation.states import Fingerprint, LinkDetail, LinkStatus, Observation

_TEXTS: Final = ("http_status", "final_url", "permanent_url", "canonical_url", "etag", "last_modified", "duration_ms")


def digest_of(url: str) -> bytes:
    """Return the digest by which an address is known: of its canonical form, without the fragment."""
    try:
        asked = identify(url).canonical.partition("#")[0]
    except RefusedUrl:
        asked = url
    return hashlib.sha256(asked.encode(errors="surrogatepass")).digest()


def shared_digest(url: str, owner_id: UUID) -> bytes:
    """Return the digest under which the answer of an address is shared.

    An address that carries a name or a password is one owner's alone: its answer is shared with nobody.
    """
    place = url.partition("://")[2].partition("/")[0]
    digest = digest_of(url)
    return hashlib.sha256(owner_id.bytes + digest).digest() if "@" in place else digest


def key_of(url: str | None) -> bytes | None:
    """Return the key of an address (kit.urls), None for what is none."""
    if url is None:
        return None
    try:
        return identify(url).key
    except RefusedUrl:
        return None


def packed(seen: Observation) -> dict[str, Any]:
    """Return an observation as JSON."""
    print_ = seen.fingerprint
    return {name: getattr(seen, name) for name in _TEXTS} | {
        "status": seen.status.value,
        "detail": None if seen.detail is None else seen.detail.value,
        "retry_at": None if seen.retry_at is None else seen.retry_at.isoformat(),
        "body_digest": _encoded(seen.body_digest),
        "fingerprint": None if print_ is None else [_encoded(print_.digest), str(print_.simhash), print_.words],
        "is_unmodified": seen.is_unmodified,
    }


def unpacked(given: dict[str, Any], fetched_at: datetime) -> Observation:
    """Return the observation that `packed` made JSON of, of what was fetched at that time."""
    print_ = given["fingerprint"]
    return Observation(
        status=LinkStatus(given["status"]),
        fetched_at=fetched_at,
        detail=None if given["detail"] is None else LinkDetail(given["detail"]),
        retry_at=None if given["retry_at"] is None else datetime.fromisoformat(given["retry_at"]),
        body_digest=_decoded(given["body_digest"]),
        fingerprint=None if print_ is None else Fingerprint(_bytes(print_[0]), int(print_[1]), int(print_[2])),
        is_unmodified=given["is_unmodified"],
        **{name: given[name] for name in _TEXTS},
    )


def _encoded(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _decoded(value: str | None) -> bytes | None:
    return None if value is None else _bytes(value)


def _bytes(value: str) -> bytes:
    return base64.b64decode(value)

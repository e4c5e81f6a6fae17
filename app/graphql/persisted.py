"""Documents that are named by a hash instead of being sent: how they are named, and the operator's list of them.

Clients name them in two ways, and both mean the SHA-256 of the document's text in UTF-8, in lower-case hexadecimal:
`documentId: "sha256:…"` (GraphQL over HTTP, appendix “Persisted Documents”) and Apollo's
`extensions.persistedQuery {version: 1, sha256Hash: "…"}`.
"""

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from kit.errors import BadInput

SETTING = "GRAPHMARK_PERSISTED_DOCUMENTS"
PREFIX = "sha256:"
_HASH = re.compile(r"[0-9a-f]{64}")
_DOCUMENT_ID = re.compile(PREFIX + _HASH.pattern)
_VERSION = 1


def hash_of(text: str) -> str:
    """Return the hash that names the document `text`, which came as UTF-8."""
    return sha256(text.encode()).hexdigest()


def named_hash(document_id: Any, extensions: Mapping[str, Any] | None) -> str | None:
    """Return the hash by which a request names its document, None when it names none.

    Raises `BadInput` for a name that cannot be one, or two names that differ.
    """
    by_id = None
    if document_id is not None:
        if not isinstance(document_id, str) or _DOCUMENT_ID.fullmatch(document_id) is None:
            raise BadInput(f"`documentId` must be “{PREFIX}” and 64 lower-case hexadecimal digits.")
        by_id = document_id.removeprefix(PREFIX)
    persisted = extensions.get("persistedQuery") if extensions else None
    if persisted is None:
        return by_id
    by_extension = _hash_in(persisted)
    if by_id not in {None, by_extension}:
        raise BadInput("`documentId` and `extensions.persistedQuery` name different documents.")
    return by_extension


def _hash_in(persisted: Any) -> str:
    """Return the hash in `extensions.persistedQuery`."""
    if not isinstance(persisted, dict):
        raise BadInput("`extensions.persistedQuery` must be an object.")
    version, given = persisted.get("version"), persisted.get("sha256Hash")
    if isinstance(version, bool) or version != _VERSION:
        raise BadInput(f"`extensions.persistedQuery.version` must be {_VERSION}.")
    if not isinstance(given, str) or _HASH.fullmatch(given) is None:
        raise BadInput("`extensions.persistedQuery.sha256Hash` must be 64 lower-case hexadecimal digits.")
    return given


def read_documents(place: Path) -> dict[str, str]:
    """Return the operator's documents by their hash: those of a manifest, or of all `*.json` in a folder.

    A manifest maps hashes to texts, as Relay's compiler writes it with `algorithm: "SHA256"`, or is an
    `apollo-persisted-query-manifest`. Raises `BadInput` naming the file and the entry that cannot be used.
    """
    try:
        paths = sorted(place.glob("*.json")) if place.is_dir() else [place]
        contents = [(path, orjson.loads(path.read_bytes())) for path in paths]
    except OSError as error:
        raise BadInput(f"{SETTING}: {error.filename} cannot be read: {error.strerror}.") from error
    except orjson.JSONDecodeError as error:
        raise BadInput(f"{SETTING}: {place} holds no valid JSON: {error}.") from error
    if not contents:
        raise BadInput(f"{SETTING}: there is no *.json in {place}.")
    return {key: text for path, content in contents for key, text in _documents_in(path, content)}


def _documents_in(path: Path, content: Any) -> Iterator[tuple[str, str]]:
    for name, text in _entries(path, content):
        given = name.removeprefix(PREFIX) if isinstance(name, str) else ""
        if not isinstance(text, str) or _HASH.fullmatch(given) is None:
            raise BadInput(f"{SETTING}: {path}: the entry {name!r} is no SHA-256 with the text of a document.")
        if hash_of(text) != given:
            raise BadInput(f"{SETTING}: {path}: {name} is not the SHA-256 of its document.")
        yield given, text


def _entries(path: Path, content: Any) -> list[tuple[Any, Any]]:
    """Return names and texts of either form of manifest."""
    if isinstance(content, dict) and isinstance(content.get("operations"), list):
        operations = [entry if isinstance(entry, dict) else {} for entry in content["operations"]]
        return [(entry.get("id"), entry.get("body")) for entry in operations]
    if isinstance(content, dict):
        return list(content.items())
    raise BadInput(f"{SETTING}: {path} is no manifest: an object of hashes and documents is expected.")

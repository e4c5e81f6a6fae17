"""What a page offers its bookmark. Pure: a page and a description in, columns out."""

from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from db.enrichment import PageDraft
from kit.ai import Description
from kit.page import Page
from kit.text import one_line
from services.enrichment.filling import told
from services.enrichment.pages import Reading

MAX_TEXT_CHARS: Final = 50_000
"""So much of a page's main text is kept."""

MAX_TYPE_CHARS: Final = 200
MAX_VALIDATOR_CHARS: Final = 500
_READABLE: Final = ("text/", "application/xhtml+xml", "application/xml")
_MAX_NAME_CHARS: Final = 200


def media_type(content_type: str | None) -> str:
    """Return the type of a body without its parameters, in lower case; empty where none was sent."""
    return (content_type or "").partition(";")[0].strip().lower()[:MAX_TYPE_CHARS]


def is_readable(kind: str) -> bool:
    """Tell whether a body of this type has text that can be read. What has no type is looked at."""
    return not kind or kind.startswith(_READABLE) or kind.endswith("+xml")


def validators(etag: str | None, last_modified: str | None) -> dict[str, Any]:
    """Return what a server sent to ask it by next time, unless it is absurdly long."""
    return {
        name: value if value and len(value) <= MAX_VALIDATOR_CHARS else None
        for name, value in (("etag", etag), ("last_modified", last_modified))
    }


def of_page(page: Page, described: Description | None, draft: PageDraft) -> Reading:
    """Return what a page says. What it leaves out is taken from `described`; its own words come first."""
    has_text = bool(page.text)
    found = {
        "title": page.title,
        "description": page.description or (described.description if described else None),
        "language": page.language,
        "author": page.author,
        "site_name": page.site_name,
        "published_at": page.published_at,
        "favicon_url": page.favicon_url,
        "image_url": page.image_url,
        "summary": described.summary if described else None,
        "keywords": list(page.keywords) or (list(described.keywords) if described else []),
        "word_count": page.word_count if has_text else None,
        "reading_time_seconds": page.reading_time_seconds if has_text else None,
    }
    said = {name: told(value) for name, value in found.items() if name not in {"summary", "favicon_url"}}
    said |= {
        "description": page.description,
        "keywords": list(page.keywords),
        "canonical_url": page.canonical_url,
        "kind": page.kind,
    }
    kept = PageDraft(
        url=draft.url,
        content_type=draft.content_type,
        etag=draft.etag,
        last_modified=draft.last_modified,
        is_rendered=draft.is_rendered,
        said={name: value for name, value in said.items() if value},
        text=page.text[:MAX_TEXT_CHARS],
        digest=page.digest,
        fingerprint=page.fingerprint,
    )
    return Reading(kept, found)


def of_file(draft: PageDraft) -> Reading:
    """Return what is known of a body that is no page, such as a PDF or a picture: its name, and itself as picture."""
    found: dict[str, Any] = {"title": name_of(draft.url)}
    if draft.content_type.startswith("image/"):
        found["image_url"] = draft.url
    return Reading(draft, found)


def name_of(url: str) -> str | None:
    """Return the name of the file at the end of an address, made readable: `/a/Annual_report.pdf` → Annual report."""
    name = PurePosixPath(unquote(urlsplit(url).path, errors="replace")).name.replace("\0", "")
    stem = one_line(PurePosixPath(name).stem.replace("_", " "))[:_MAX_NAME_CHARS]
    return stem if "." in name and any(char.isalnum() for char in stem) else None

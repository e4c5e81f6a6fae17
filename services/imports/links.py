"""One `<A>` of a bookmark file, with the note under it, as an `ImportItem`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from kit.urls import MAX_URL_BYTES
from services.imports.dates import parse_date
from services.imports.items import (
    MAX_DESCRIPTION_CHARS,
    MAX_ICON_CHARS,
    MAX_TITLE_CHARS,
    FolderPath,
    ImportItem,
    RowWarning,
    judge,
)
from services.imports.markup import restore
from services.imports.tags import split_tags

Attributes = Mapping[str, str | None]
"""Names in lower case; None for an attribute without a value."""

_UNSEEN: Final = {ord("\t"): None, ord("\n"): None, ord("\r"): None}
_FALSE: Final = frozenset({"0", "false", "no", "off"})
_UNREAD: Final = ("toread", "unread")
_FAVORITE: Final = ("duckduckgo:favorite", "data-important", "favorite")


@dataclass(slots=True)
class Link:
    """A link as it stands in the file, before anything is cut or judged."""

    row: int
    attributes: Attributes
    title: str
    folders: FolderPath
    collapsed: bool
    notes: list[str] = field(default_factory=list)


def build_item(link: Link, now: datetime, *, by_comma: bool) -> ImportItem:
    """Return the row that a link makes; `by_comma` as in `split_tags`, `now` as in `parse_date`."""
    found = link.attributes
    warnings = [RowWarning.FOLDER_COLLAPSED] if link.collapsed else []
    url = _url(found, warnings)
    identity, problem = judge(url)
    tags: tuple[str, ...] = ()
    listed = found.get("tags")
    if listed:
        tags, lost = split_tags(restore(listed), by_comma=by_comma)
        warnings += lost
    icon_url, icon_data = _icon(found, warnings)
    added_at = _added_at(found, now, warnings)
    title = _cut(link.title, MAX_TITLE_CHARS, warnings)
    description = _cut(_description(link), MAX_DESCRIPTION_CHARS, warnings)
    if "\ufffd" in title or "\ufffd" in description or "\ufffd" in url:
        warnings.append(RowWarning.BAD_CHARACTERS)
    return ImportItem(
        row=link.row,
        url=url[:MAX_URL_BYTES],
        identity=identity,
        title=title,
        description=description or None,
        notes=None,
        tags=tags,
        folders=link.folders,
        added_at=added_at,
        modified_at=_modified_at(found, added_at, now),
        icon_url=icon_url,
        icon_data=icon_data,
        is_private=_flag(found, "private"),
        is_unread=_any_flag(found, _UNREAD),
        is_favorite=_any_flag(found, _FAVORITE),
        problem=problem,
        warnings=tuple(dict.fromkeys(warnings)) if warnings else (),
    )


def _url(found: Attributes, warnings: list[RowWarning]) -> str:
    url = (found.get("href") or "").strip()
    if "<" in url:
        url = restore(url)
        warnings.append(RowWarning.BROKEN_MARKUP)
    return url if url.isprintable() else url.translate(_UNSEEN)


def _cut(text: str, limit: int, warnings: list[RowWarning]) -> str:
    if len(text) <= limit:
        return text
    warnings.append(RowWarning.TEXT_CUT)
    return text[:limit].rstrip()


def _description(link: Link) -> str:
    if link.notes:
        return "\n".join(link.notes)
    attribute = link.attributes.get("description")
    return restore(attribute).strip() if attribute else ""


def _added_at(found: Attributes, now: datetime, warnings: list[RowWarning]) -> datetime | None:
    text = found.get("add_date") or found.get("time_added")
    if not text:
        return None
    moment = parse_date(text, now)
    if moment is None:
        warnings.append(RowWarning.DATE_IGNORED)
    return moment


def _modified_at(found: Attributes, added_at: datetime | None, now: datetime) -> datetime | None:
    text = found.get("last_modified")
    if not text:
        return None
    return added_at if text == found.get("add_date") else parse_date(text, now)


def _icon(found: Attributes, warnings: list[RowWarning]) -> tuple[str | None, str | None]:
    url: str | None = None
    data: str | None = None
    for value in (found.get("icon"), found.get("icon_uri")):
        if not value:
            continue
        if value.startswith("data:image/"):
            if len(value) <= MAX_ICON_CHARS:
                data = value
            else:
                warnings.append(RowWarning.ICON_DROPPED)
        elif value.startswith(("https://", "http://")) and len(value) <= MAX_URL_BYTES:
            url = value
    return url, data


def _flag(found: Attributes, name: str) -> bool:
    """Say whether an attribute is set: `PRIVATE="1"` and a bare `PRIVATE` are, `PRIVATE="0"` and `""` are not."""
    if name not in found:
        return False
    value = found[name]
    return value is None or (value != "" and value.strip().lower() not in _FALSE)


def _any_flag(found: Attributes, names: tuple[str, ...]) -> bool:
    for name in names:  # noqa: SIM110  a generator for each of 100,000 rows costs as much as reading its date
        if name in found and _flag(found, name):
            return True
    return False

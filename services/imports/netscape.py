"""The Netscape bookmark file: what every browser and most services export as HTML.

    <DL><p>
        <DT><H3 ADD_DATE="1466010266">Folder</H3>
        <DL><p>
            <DT><A HREF="https://example.org/" ADD_DATE="1466010266" TAGS="a,b">Title</A>
            <DD>Description
        </DL><p>
    </DL><p>

There is no standard, so nothing is required but the links: a missing root list, DOCTYPE or end tag, stray tags,
quotes that do not match and any nesting are read as far as they make sense. A link inside a <DD> is part of a note.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from kit.clock import utcnow
from services.imports.dates import parse_date
from services.imports.encoding import read_prefix, text_encoding
from services.imports.folders import FolderStack
from services.imports.items import (
    MAX_DESCRIPTION_CHARS,
    FolderKey,
    ImportFolder,
    ImportItem,
    RowWarning,
)
from services.imports.links import Link, build_item
from services.imports.markup import OPENS, Pieces, flatten
from services.imports.tags import separates_by_comma

_PARTS: Final = "a,h3,dd,wbr"
_SEPARATOR_URLS: Final = frozenset({"http://bookmark.placeholder.url/", "http://bookmark.placeholder.url"})
"""How Vivaldi writes a separator line: not a link, not a row."""


class NetscapeReader:
    """The rows and folders of one bookmark file: an `ImportReader`, see there.

    Synchronous and CPU-bound, about 10 microseconds a row; memory does not grow with the file. Rows up to `skip_rows`
    are counted and not yielded, which is how an import resumes: the same file always gives the same rows.
    `rows` is the number of the last row met.
    """

    def __init__(self, path: Path, *, skip_rows: int = 0) -> None:
        self._path = path
        self._skip_rows = skip_rows
        self._stack = FolderStack()
        self._link: Link | None = None
        self._by_comma = False
        self._now = utcnow()
        self.folders = self._stack.folders
        self.warnings: list[RowWarning] = []
        self.rows = 0

    def __iter__(self) -> Iterator[ImportItem]:
        """Yield the rows after `skip_rows`, in document order. One pass."""
        pieces = Pieces(self._path, text_encoding(read_prefix(self._path)))
        for number, piece in enumerate(pieces):
            if number == 0:
                self._by_comma = separates_by_comma(piece)
            for link in self._links(piece):
                if link.row > self._skip_rows:
                    yield build_item(link, self._now, by_comma=self._by_comma)
        if self._link is not None and self._link.row > self._skip_rows:
            yield build_item(self._link, self._now, by_comma=self._by_comma)
        if pieces.damaged:
            self.warnings.append(RowWarning.BAD_CHARACTERS)

    def _links(self, piece: str) -> Iterator[Link]:
        """Yield each link once everything that belongs to it was read; the last one stays in `_link`."""
        for node in LexborHTMLParser(flatten(piece)).css(_PARTS):
            tag = node.tag
            if tag == "dd":
                self._note(node)
                continue
            if tag != "wbr" and _is_in_note(node):
                continue
            link = self._read_link(node) if tag == "a" else None
            if tag == "a" and link is None:
                continue
            if self._link is not None:
                yield self._link
            self._link = link
            if tag == "h3":
                self._stack.heading(self._read_folder(node))
            elif tag == "wbr":
                self._follow_list(node)

    def _follow_list(self, marker: LexborNode) -> None:
        if OPENS in marker.attributes:
            self._stack.open()
        else:
            self._stack.close()

    def _read_link(self, node: LexborNode) -> Link | None:
        attributes = node.attributes
        title = " ".join(node.text().split())
        href = attributes.get("href")
        if not title and (not href or self._is_echo(attributes)):
            return None
        if href in _SEPARATOR_URLS:
            return None
        self._stack.link()
        self.rows += 1
        return Link(self.rows, attributes, title, self._stack.path, self._stack.collapsed)

    def _is_echo(self, attributes: dict[str, str | None]) -> bool:
        """Say whether the parser repeated an `<A>` that was never closed: HTML reopens it behind each block."""
        return self._link is not None and self._link.attributes == attributes

    def _read_folder(self, node: LexborNode) -> ImportFolder:
        attributes = node.attributes
        return ImportFolder(
            path=(FolderKey(" ".join(node.text().split()), 1),),
            description=None,
            added_at=parse_date(attributes.get("add_date") or "", self._now),
            modified_at=parse_date(attributes.get("last_modified") or "", self._now),
            is_toolbar=(attributes.get("personal_toolbar_folder") or "").lower() == "true",
        )

    def _note(self, node: LexborNode) -> None:
        text = node.text().strip()
        if not text:
            return
        if self._link is not None:
            self._link.notes.append(text)
        else:
            self._stack.describe(text[:MAX_DESCRIPTION_CHARS])


def _is_in_note(node: LexborNode) -> bool:
    """Say whether a node stands inside a `<DD>`; pieces are flat, so the way up is short."""
    parent = node.parent
    while parent is not None and parent.tag not in {"dt", "body"}:
        if parent.tag == "dd":
            return True
        parent = parent.parent
    return False

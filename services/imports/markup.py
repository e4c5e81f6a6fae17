"""Bookmark HTML as a stream of small flat pieces.

A bookmark file can be 100 MiB, nested 100,000 deep and broken anywhere, so it is never parsed as one tree: it is cut
where a row begins, and each piece is rewritten so that no tag can stay open across the next row. Folder lists become
empty marker elements; only their order matters. Time and memory then follow the size of a piece, whatever it holds.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PIECE_CHARS: Final = 262_144
"""How much is read at once; a piece ends at the last row start found in it."""

MAX_ROW_CHARS: Final = 4_194_304
"""A row longer than this loses its middle: no limit of an `ImportItem` reaches that far."""

OPENS: Final = "o"
CLOSES: Final = "c"
"""Attributes of the `wbr` markers that stand for `<DL>` and `</DL>`."""

_HEAD_CHARS: Final = 524_288
_TAIL_CHARS: Final = 65_536
_ROWLESS_CHARS: Final = 1_048_576  # beyond this without a <DT>, the file is taken to be one without them

_ANY_ROW: Final = re.compile(r"<(?=a\s|h3|/?dl)", re.IGNORECASE)

_NAME_ENDS: Final = r"(?![\w:\-])"
# Every other tag is somebody's text: notes with HTML in them are exported unescaped, so are titles such as "<canvas>".
_FOREIGN: Final = re.compile(
    rf"<(?!!|/?(?:a|dl|dt|dd|h[1-6]|p|br|hr|html|head|body|title|meta|link|script|style|img){_NAME_ENDS})",
    re.IGNORECASE,
)
_BREAK: Final = re.compile(rf"</?(?:p|br){_NAME_ENDS}[^<>]*>", re.IGNORECASE)
_LIST_OPENS: Final = re.compile(rf"<dl{_NAME_ENDS}", re.IGNORECASE)
_LIST_CLOSES: Final = re.compile(rf"</dl{_NAME_ENDS}", re.IGNORECASE)
_ROW_PART: Final = re.compile(r"<(?=d[td]|h3)", re.IGNORECASE)

_RAW: Final = re.compile(rf"<(?:!--|(script|style|title){_NAME_ENDS})", re.IGNORECASE)
_RAW_ENDS: Final = {
    name: re.compile(rf"</{name}" if name else "-->", re.IGNORECASE) for name in (None, "script", "style", "title")
}
_ROW: Final = re.compile(r"<dt\b[^<>]*>\s*<(?:a\s|h3)", re.IGNORECASE)

_CLOSERS: Final = "</h3></a ><"
_OPEN_MARK: Final = f"<dt><wbr {OPENS} "
_CLOSE_MARK: Final = f"<dt><wbr {CLOSES} "


class Pieces:
    """The text of a file, cut where a row begins; line ends are single line feeds, NUL characters are left out.

    `damaged` turns true when a byte sequence was not valid in `encoding` or a NUL was dropped.
    """

    def __init__(self, path: Path, encoding: str) -> None:
        self._path = path
        self._encoding = encoding
        self.damaged = False

    def __iter__(self) -> Iterator[str]:
        """Yield pieces of about `PIECE_CHARS`, at most `MAX_ROW_CHARS` and one reading more."""
        held = ""
        with self._path.open(encoding=self._encoding, errors="replace") as file:
            while read := file.read(PIECE_CHARS):
                known = len(held)
                held += self._clean(read)
                cut = _last_row_start(held, known)
                if cut > 0:
                    yield held[:cut]
                    held = held[cut:]
                elif len(held) > MAX_ROW_CHARS:
                    held = held[:_HEAD_CHARS] + held[-_TAIL_CHARS:]
        if held:
            yield held

    def _clean(self, text: str) -> str:
        if "\0" in text:
            self.damaged = True
            return text.replace("\0", "")
        if "\ufffd" in text:
            self.damaged = True
        return text


def _last_row_start(held: str, known: int) -> int:
    """Find the last `<DT`, of which the first `known` characters have none but at 0; -1 if there is none."""
    start = max(1, known - 2)
    cut = max(held.rfind("<DT", start), held.rfind("<dt", start))
    if cut < 0 and len(held) > _ROWLESS_CHARS:
        start = 1 if known <= _ROWLESS_CHARS else start
        for match in _ANY_ROW.finditer(held, start):
            cut = match.start()
    return cut


def flatten(piece: str) -> str:
    """Rewrite a piece so that it parses into a flat list of `dt`, `dd` and markers, in linear time."""
    piece = _FOREIGN.sub("&lt;", _contain(piece))
    piece = _BREAK.sub("\n", piece)
    piece = _LIST_OPENS.sub(_OPEN_MARK, piece)
    piece = _LIST_CLOSES.sub(_CLOSE_MARK, piece)
    return _ROW_PART.sub(_CLOSERS, piece)


def _contain(piece: str) -> str:
    """Make text of what would swallow the rows behind it: a comment, script, style or title without an end before them.

    Each place is looked for once and remembered, so the time stays linear.
    """
    lowered = piece.lower()
    if not any(name in lowered for name in ("<!--", "<script", "<style", "<title")):
        return piece  # nearly always, and five times as fast
    done, at = [], 0
    places: dict[re.Pattern[str], int] = {}
    while (opener := _RAW.search(piece, at)) is not None:
        name = opener[1] and opener[1].lower()
        inside = opener.end() if name else opener.start() + 2  # "<!-->" is a whole comment
        end = _next(_RAW_ENDS[name], piece, inside, places)
        if end < _next(_ROW, piece, inside, places):
            done.append(piece[at:end])
            at = end
        else:
            done.append(piece[at : opener.start()] + "&lt;")
            at = opener.start() + 1
    return "".join([*done, piece[at:]]) if done else piece


def _next(pattern: re.Pattern[str], piece: str, start: int, places: dict[re.Pattern[str], int]) -> int:
    """Return where `pattern` is found next from `start` on, the length when nowhere. `start` never goes back."""
    if places.get(pattern, -1) < start:
        found = pattern.search(piece, start)
        places[pattern] = len(piece) if found is None else found.start()
    return places[pattern]


def restore(value: str) -> str:
    """Undo `flatten` in an attribute value that swallowed markup because of a missing quote."""
    return value.replace(_CLOSERS, "<").replace(_OPEN_MARK, "<DL").replace(_CLOSE_MARK, "</DL")

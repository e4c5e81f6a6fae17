"""The traps of bookmark HTML, one by one, and files made to break a parser."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit.errors import BadInput
from kit.urls import UrlRefusal
from services.imports import markup
from services.imports.detect import count_rows, open_reader
from services.imports.items import (
    MAX_FOLDER_DEPTH,
    MAX_TAG_CHARS,
    MAX_TAGS,
    FolderKey,
    ImportItem,
    RowWarning,
)
from services.imports.netscape import NetscapeReader

HEAD = "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<TITLE>Bookmarks</TITLE>\n<H1>Bookmarks</H1>\n"

Read = Callable[[str | bytes], NetscapeReader]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def opened(content: str | bytes) -> NetscapeReader:
        path = tmp_path / "bookmarks.html"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return NetscapeReader(path)

    return opened


def row(url: str = "https://example.com/", title: str = "Title", attributes: str = "") -> str:
    return f'<DT><A HREF="{url}" {attributes}>{title}</A>\n'


def names(item: ImportItem) -> list[str]:
    return [key.name for key in item.folders]


def test_entities_are_decoded_once_and_never_invented(read: Read) -> None:
    (item,) = read(row("https://example.com/?a=1&center=2&amp;b=3", "A &amp;amp; B &#39;&lt;b&gt;&#39;"))
    assert item.url == "https://example.com/?a=1&center=2&b=3"
    assert item.title == "A &amp; B '<b>'"


def test_markup_in_a_title_or_a_note_is_text(read: Read) -> None:
    (item,) = read(row(title="How to <canvas>") + "<DD>Use <code>x</code>\n  <li>y</li><br>end\n")
    assert item.title == "How to <canvas>"
    assert item.description == "Use <code>x</code>\n  <li>y</li>\nend"


def test_a_link_in_a_note_and_an_empty_link_are_no_rows(read: Read) -> None:
    reader = read(
        row() + '<DD>see <a href="https://in.note/">this</a>\n<DT><A></A>\n<DT><A HREF=""></A>\n' + row("http://b/")
    )
    items = list(reader)
    assert [item.url for item in items] == ["https://example.com/", "http://b/"]
    assert items[0].description == "see this"


def test_an_empty_address_or_title_is_a_row_with_a_fate(read: Read) -> None:
    no_address, no_title = read(row("", "Lost") + row("https://example.com/a", ""))
    assert (no_address.problem, no_address.identity, no_address.title) == (UrlRefusal.EMPTY, None, "Lost")
    assert (no_title.problem, no_title.title) == (None, "")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("place:sort=8", UrlRefusal.UNSUPPORTED_SCHEME),
        ("javascript:alert(1)", UrlRefusal.UNSUPPORTED_SCHEME),
        ("java&#10;script:alert(1)", UrlRefusal.UNSUPPORTED_SCHEME),
        ("about:blank", UrlRefusal.UNSUPPORTED_SCHEME),
        ("file:///C:/a.html", UrlRefusal.UNSUPPORTED_SCHEME),
        ("?lY47tw", UrlRefusal.INVALID_URL),
        ("https://example.com/" + "a" * 9000, UrlRefusal.TOO_LONG),
    ],
)
def test_addresses_that_cannot_be_opened_keep_their_row(read: Read, url: str, problem: UrlRefusal) -> None:
    (item,) = read(row(url))
    assert (item.problem, item.identity) == (problem, None)
    assert len(item.url) <= 8192


def test_folders_named_zero_and_nothing_and_twins_stay(read: Read) -> None:
    body = "".join(
        f"<DT><H3>{name}</H3>\n<DL><p>\n{row(f'https://{number}.example/')}</DL><p>\n"
        for number, name in enumerate(["0", "", "Twin", "Twin", "a, b"])
    )
    reader = read(f"{HEAD}<DL><p>\n<DT><H3>Top</H3>\n<DL><p>\n{body}</DL><p>\n</DL><p>\n")
    paths = [item.folders for item in reader]
    top = FolderKey("Top", 1)
    assert paths == [
        (top, FolderKey("0", 1)),
        (top, FolderKey("", 1)),
        (top, FolderKey("Twin", 1)),
        (top, FolderKey("Twin", 2)),
        (top, FolderKey("a, b", 1)),
    ]
    assert [folder.path for folder in reader.folders] == [(top,), *paths]


def test_a_folder_without_a_name_is_not_the_one_called_untitled(read: Read) -> None:
    body = "".join(f"<DT><H3>{name}</H3><DL><p>{row()}</DL><p>" for name in ("", "Untitled", ""))
    items = read(f"{HEAD}<DL><p>{body}</DL><p>")
    assert [item.folders for item in items] == [
        (FolderKey("", 1),),
        (FolderKey("Untitled", 2),),
        (FolderKey("", 3),),
    ]


@pytest.mark.parametrize("opener", ["<!-- x", "<script>", "<STYLE >", "<title>", "<!--><!-- x"])
def test_what_is_never_closed_swallows_no_rows(read: Read, opener: str) -> None:
    body = row("https://a.example/", f"About {opener}") + row("https://b.example/") + "<!-- closed -->"
    items = list(read(f"{HEAD}<DL><p>{body}{row('https://c.example/')}</DL><p>"))
    assert [item.url for item in items] == ["https://a.example/", "https://b.example/", "https://c.example/"]
    assert items[0].title.startswith("About <")


def test_a_comment_between_rows_is_no_text(read: Read) -> None:
    first, _ = read(f"{HEAD}<DL><p>{row()}<DD>Note<!-- <DT>no row -->\n{row('https://b.example/')}</DL><p>")
    assert first.description == "Note"


def test_a_folder_tells_its_note_dates_and_place(read: Read) -> None:
    reader = read(
        '<DT><H3 ADD_DATE="1463688129" LAST_MODIFIED="0" PERSONAL_TOOLBAR_FOLDER="true">Bar</H3>\n'
        "<DD>All of &amp; it\n<DL><p>\n</DL><p>\n<DT><H3>Bare</H3>\n" + row()
    )
    (item,) = reader
    bar, bare = reader.folders
    assert (bar.description, bar.is_toolbar, bar.modified_at) == ("All of & it", True, None)
    assert bar.added_at == datetime(2016, 5, 19, 20, 2, 9, tzinfo=UTC)
    assert (bare.path, bare.is_toolbar) == ((FolderKey("Bare", 1),), False)
    assert item.folders == ()


def test_deep_folders_collapse_into_the_deepest_allowed(read: Read) -> None:
    deep = "".join(f"<DT><H3>{level}</H3><DL><p>\n" for level in range(40))
    reader = read(deep + row("https://deep.example/") + "</DL><p>\n" * 40 + row("https://top.example/"))
    inner, outer = reader
    assert names(inner) == [str(level) for level in range(MAX_FOLDER_DEPTH)]
    assert inner.warnings == (RowWarning.FOLDER_COLLAPSED,)
    assert (outer.folders, outer.warnings) == ((), ())
    assert len(reader.folders) == MAX_FOLDER_DEPTH


def test_tags_are_separated_as_the_file_does_it(read: Read) -> None:
    (spaced,) = read(row(attributes='TAGS="php  dev php"'))
    assert spaced.tags == ("php", "dev")
    one, two = read(row(attributes='TAGS="dev, php  dev\n,,dev"') + row(attributes='TAGS="multi word"'))
    assert (one.tags, two.tags) == (("dev", "php dev"), ("multi word",))


def test_tags_beyond_the_limits_never_fail_the_row(read: Read) -> None:
    (item,) = read(row(attributes=f'TAGS="{"x" * 200},{",".join(map(str, range(1000)))}"'))
    assert len(item.tags) == MAX_TAGS
    assert item.tags[0] == "x" * MAX_TAG_CHARS
    assert set(item.warnings) == {RowWarning.TAG_CUT, RowWarning.TAGS_DROPPED}


def test_flags_of_every_dialect(read: Read) -> None:
    plain, private, unread, favorite = read(
        row(attributes='PRIVATE="0" TOREAD="0"')
        + row(attributes='PRIVATE="1"')
        + row(attributes='TOREAD="1"')
        + row(attributes='duckduckgo:favorite="true"')
    )
    assert (plain.is_private, plain.is_unread, plain.is_favorite) == (False, False, False)
    assert (private.is_private, unread.is_unread, favorite.is_favorite) == (True, True, True)


def test_dates_that_cannot_be_are_dropped_with_a_warning(read: Read) -> None:
    zero, year_9999, none = read(
        row(attributes='ADD_DATE="0"') + row(attributes='ADD_DATE="253402300799"') + row(attributes='ADD_DATE=""')
    )
    assert (zero.added_at, zero.warnings) == (None, (RowWarning.DATE_IGNORED,))
    assert (year_9999.added_at, year_9999.warnings) == (None, (RowWarning.DATE_IGNORED,))
    assert (none.added_at, none.warnings) == (None, ())


def test_icons_are_told_apart_and_bounded(read: Read) -> None:
    both, large, fake = read(
        row(attributes='ICON_URI="https://e.example/i.png" ICON="data:image/png;base64,AA"')
        + row(attributes=f'ICON="data:image/png;base64,{"A" * 40_000}"')
        + row(attributes='ICON="data:text/html,x" ICON_URI="fake-favicon-uri:x"')
    )
    assert (both.icon_url, both.icon_data) == ("https://e.example/i.png", "data:image/png;base64,AA")
    assert (large.icon_data, large.warnings) == (None, (RowWarning.ICON_DROPPED,))
    assert (fake.icon_url, fake.icon_data) == (None, None)


def test_a_missing_end_tag_neither_joins_nor_doubles_rows(read: Read) -> None:
    items = list(
        read('<DL><DT><A HREF="http://a/">A\n<DT><A HREF="http://b/">B<p><HR>\n<DT><H3>F<DL>\n' + row("http://c/"))
    )
    assert [(item.url, item.title, names(item)) for item in items] == [
        ("http://a/", "A", []),
        ("http://b/", "B", []),
        ("http://c/", "Title", ["F"]),
    ]


def test_a_script_appended_by_a_proxy_is_no_note(read: Read) -> None:
    (item,) = read(HEAD + "<DL><p>" + row() + "<DD>Note\n</DL><p>\n<script>var a = '<DT>';</script>")
    assert item.description == "Note"


def test_markup_swallowed_by_a_quote_is_shown_as_it_was(read: Read) -> None:
    item, _ = read('<DT><A HREF="https://a.example/\'>A</A>\n<DT><A HREF="https://b.example/">B</A>\n' + row())
    assert item.url == "https://a.example/'>A</A><DT><A HREF="
    assert item.warnings == (RowWarning.BROKEN_MARKUP,)


@pytest.mark.parametrize(
    ("encode", "damaged"),
    [
        (lambda text: text.encode(), False),
        (lambda text: b"\xef\xbb\xbf" + text.encode(), False),
        (lambda text: text.encode("utf-16"), False),
        (lambda text: text.encode("utf-16-le"), False),
        (lambda text: text.encode("utf-16-be"), False),
        (lambda text: text.encode("utf-32"), False),
        (lambda text: b'<META CONTENT="text/html; charset=windows-1252">' + text.encode("cp1252"), False),
        (lambda text: text.replace("é", "\0é\0").encode(), True),
        (lambda text: text.replace("\n", "\r\n").encode(), False),
    ],
    ids=["utf8", "bom", "utf16", "utf16le", "utf16be", "utf32", "cp1252", "nul", "crlf"],
)
def test_encodings(read: Read, encode: Callable[[str], bytes], damaged: bool) -> None:
    reader = read(encode(HEAD + row(title="Café") + "<DD>one\ntwo\n"))
    (item,) = reader
    assert (item.title, item.description, item.warnings) == ("Café", "one\ntwo", ())
    assert reader.warnings == ([RowWarning.BAD_CHARACTERS] if damaged else [])


def test_invalid_utf8_is_replaced_and_told(read: Read) -> None:
    reader = read(row(title="Caf").encode().replace(b"Caf", b"Caf\xe9") + row(title="&#xD800;&#0;").encode())
    first, second = reader
    assert (first.title, second.title) == ("Caf\ufffd", "\ufffd\ufffd")
    assert first.warnings == second.warnings == (RowWarning.BAD_CHARACTERS,)
    assert reader.warnings == [RowWarning.BAD_CHARACTERS]


def test_pieces_do_not_show(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows, folders and notes are the same wherever the file is cut."""
    body = "".join(
        f"<DT><H3>F{n}</H3>\n<DL><p>\n{row(f'https://{n}.example/', f'T{n}')}<DD>Note {n}\n</DL><p>\n"
        for n in range(50)
    )
    whole = list(read(HEAD + "<DL><p>\n" + body + "</DL><p>\n"))
    for size in (100, 137, 1000):
        monkeypatch.setattr(markup, "PIECE_CHARS", size)
        assert list(read(HEAD + "<DL><p>\n" + body + "</DL><p>\n")) == whole
    assert len(whole) == 50


def test_resuming_yields_exactly_the_rest(read: Read, tmp_path: Path) -> None:
    body = "".join(row(f"https://{n}.example/") for n in range(30))
    every = list(read(HEAD + body))
    path = tmp_path / "bookmarks.html"
    for done in (0, 1, 29, 30, 31):
        assert list(NetscapeReader(path, skip_rows=done)) == every[done:]
    assert count_rows(path) == 30


DAMAGE: dict[str, tuple[str, int]] = {
    "nested lists": ("<DL>" * 100_000 + row() + "</DL>" * 100_000, 1),
    "nested folders": ("<DT><H3>x</H3><DL>" * 100_000 + row(), 1),
    "one line": (row().strip() * 200_000, 200_000),
    "a million tags": (row(attributes=f'TAGS="{",".join(map(str, range(1_000_000)))}"') + row(), 2),
    "a long note": (row() + "<DD>" + "x " * 5_000_000 + row(), 2),
    "open headings": ("<h3><dd>" * 200_000 + row(), 1),
    "open paragraphs": ("<b><p>" * 200_000 + row(), 1),
    "closed twice": ("</DL></H3></A>" * 200_000 + row(), 1),
    "open tags": ("<DT><A HREF=" * 200_000, 1),
    "no rows marked": ('<a href="https://example.com/">x</a> ' * 200_000, 200_000),
    "open comment": ("<!--" * 500_000 + row(), 1),
    "open comments and scripts": (row() + "<!--<script><title>" * 200_000 + row() + "</script>-->" * 2, 2),
    "comments in rows": (f"{row()}<!-- " * 100_000, 100_000),
}

_MEASURE = """
import resource, sys, time
from pathlib import Path
from services.imports.netscape import NetscapeReader
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
started = time.process_time()
rows = sum(1 for _ in NetscapeReader(Path(sys.argv[1])))
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(rows, time.process_time() - started, grown // (1024 if sys.platform == "linux" else 1024**2))
"""


@pytest.mark.parametrize("name", DAMAGE)
def test_files_made_to_break_a_parser_cost_little(name: str, tmp_path: Path) -> None:
    content, expected = DAMAGE[name]
    path = tmp_path / "bookmarks.html"
    path.write_text(content, "utf-8")
    done = subprocess.run(  # noqa: S603  our own interpreter and code
        [sys.executable, "-c", _MEASURE, str(path)], capture_output=True, text=True, check=True, timeout=120
    )
    rows, seconds, mebibytes = done.stdout.split()
    assert int(rows) == expected
    assert float(seconds) < 20
    assert int(mebibytes) < 100


@given(
    st.one_of(
        st.binary(max_size=400),
        st.lists(
            st.sampled_from(
                [
                    "<DL>",
                    "</DL>",
                    "<DT>",
                    "<DD>",
                    "<A HREF=",
                    '"http://a/"',
                    ">",
                    "</A>",
                    "<H3>",
                    "</H3>",
                    "\0",
                    "x",
                    "<!--",
                    "-->",
                    "'",
                    '"',
                    "TAGS=",
                    "ADD_DATE=1",
                    "<p>",
                    "<title>",
                    "&#xD800;",
                    "\n",
                    "<script>",
                    "é",
                ]
            ),
            max_size=60,
        ).map(lambda parts: "".join(parts).encode()),
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(content)
    try:
        opened = open_reader(path)
    except BadInput:
        pass
    else:
        list(opened)
    reader = NetscapeReader(path)
    for item in reader:
        assert (item.identity is None) is (item.problem is not None)
        for text in (item.url, item.title, item.description or "", *item.tags):
            assert "\0" not in text
            text.encode()

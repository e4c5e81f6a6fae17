"""What is read from a page, and that no page breaks its reader."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kit.page import Page, PageUnreadable
from kit.page.cleaning import MAX_KEYWORD_CHARS, MAX_KEYWORDS
from kit.page.merging import MAX_DESCRIPTION_CHARS, MAX_NAME_CHARS, MAX_TITLE_CHARS
from kit.page.parsing import MAX_DEPTH, MAX_TEXT_CHARS, read_page, shallow

NOW = datetime(2026, 11, 28, tzinfo=UTC)
URL = "https://site.example/dir/page?x=1"
PROSE = "Bread needs flour, water, salt and a little patience from whoever bakes it at home. "
OTHER = "An oven that holds its heat is half the work. "


def read(text: str | bytes, content_type: str | None = "text/html; charset=utf-8", url: str = URL) -> Page:
    """Read a page found at `URL` in this process."""
    body = text.encode() if isinstance(text, str) else text
    return read_page(body, url, content_type, now=NOW, seconds=10)


def ld(*documents: object) -> str:
    """Return documents as blocks of JSON-LD; text goes in as it is."""
    return "".join(
        f'<script type="application/ld+json">{doc if isinstance(doc, str) else json.dumps(doc)}</script>'
        for doc in documents
    )


VOICES = {
    "og": '<meta property="og:title" content="From Open Graph">',
    "ld": ld({"@type": "Article", "headline": "From JSON-LD"}),
    "twitter": '<meta name="twitter:title" content="From Twitter">',
    "microdata": '<div itemscope itemtype="http://schema.org/Article"><b itemprop="headline">From microdata</b></div>',
    "rdfa": '<div vocab="http://schema.org/" typeof="Article"><b property="headline">From RDFa</b></div>',
    "dublin": '<meta name="DC.title" content="From Dublin Core">',
    "title": "<title>From title</title>",
    "h1": "<h1>From h1</h1>",
}
SAYS = ["From Open Graph", "From JSON-LD", "From Twitter", "From microdata", "From RDFa", "From Dublin Core"]


@pytest.mark.parametrize("silent", range(len(VOICES) + 1))
def test_the_title_is_that_of_the_first_voice_that_speaks(silent: int) -> None:
    wanted = [*SAYS, "From title", "From h1", None]
    head = list(VOICES.items())[silent:]
    inside = "".join(text for name, text in head if name not in {"microdata", "rdfa", "h1"})
    below = "".join(text for name, text in head if name in {"microdata", "rdfa", "h1"})
    assert read(f"<html><head>{inside}</head><body>{below}<p>{PROSE}</p></body></html>").title == wanted[silent]


PICTURES = """<html><head><base href="{base}"><meta property="og:image" content="{url}"><link rel="icon" href="{url}">
<link rel="canonical" href="{url}"></head></html>"""


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/x",
        "http://0x7f.1/",
        "//me:secret@192.168.0.1/reboot",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://169.254.169.254/latest/meta-data",
        "http://localhost/x",
        "http://router.local./x",
        "/x",
        "javascript:alert(1)",
        "file:///etc/passwd",
    ],
)
def test_a_page_of_the_web_names_nothing_in_a_private_network(url: str) -> None:
    page = read(PICTURES.format(base="http://localhost/", url=url))
    assert (page.canonical_url, page.favicon_url, page.image_url) == (None, None, None)


def test_a_page_in_a_private_network_names_what_is_there() -> None:
    page = read(PICTURES.format(base="/", url="http://10.0.0.2/i.png"), url="http://wiki.lan/page")
    assert (page.favicon_url, page.image_url) == ("http://10.0.0.2/i.png", "http://10.0.0.2/i.png")


def test_addresses_that_a_page_names_lose_their_credentials() -> None:
    page = read(PICTURES.format(base="/", url="https://me:secret@cdn.example/i.png"))
    assert (page.favicon_url, page.image_url) == ("https://cdn.example/i.png", "https://cdn.example/i.png")


def test_a_whole_page() -> None:
    page = read(
        f"""<!doctype html><html lang="en_gb"><head><title>Bread | Site</title>
        <meta name="description" content="How to bake.">
        <meta name="keywords" content="bread, Baking,bread">
        <meta property="og:site_name" content="The Site"><meta property="og:image" content="/loaf.png">
        <meta property="og:type" content="article"><meta property="article:tag" content="Flour">
        <link rel="canonical" href="/bread"><link rel="icon" sizes="16x16" href="/16.png">
        <link rel="icon" sizes="32x32" href="/32.png"><link rel="apple-touch-icon" href="/touch.png">
        {
            ld(
                {
                    "@type": "NewsArticle",
                    "author": [{"name": "Ann"}, {"name": "Bo"}],
                    "headline": "Bread",
                    "datePublished": "2024-02-03T10:00:00+02:00",
                }
            )
        }
        </head><body><nav><a href="/">Home</a></nav><article><p>{PROSE * 5}</p><p>{OTHER * 5}</p></article>
        <form><input type="PASSWORD"></form><a href="/x">x</a></body></html>"""
    )
    assert page.title == "Bread"
    assert page.description == "How to bake."
    assert page.author == "Ann, Bo"
    assert page.site_name == "The Site"
    assert page.published_at == datetime(2024, 2, 3, 8, tzinfo=UTC)
    assert page.language == "en-GB"
    assert page.canonical_url == "https://site.example/bread"
    assert page.favicon_url == "https://site.example/32.png"
    assert page.image_url == "https://site.example/loaf.png"
    assert page.keywords == ("bread", "Baking", "Flour")
    assert page.kind == "article"
    assert page.text == f"{(PROSE * 5).strip()}\n{(OTHER * 5).strip()}"
    assert page.word_count == (15 + 10) * 5
    assert page.reading_time_seconds == 32  # 125 words at 238 a minute
    assert (page.is_script_only, page.has_password_field, page.refresh_url, page.link_count) == (False, True, None, 2)


def test_a_block_of_json_ld_that_is_none_does_not_silence_the_next() -> None:
    bad = ("{not json", "[" * 100_000, '"text"', "[1, null, [{}]]", {"@graph": {"@graph": 5}})
    assert read(f"<title>x</title>{ld(*bad, {'@type': 'Article', 'name': 'Good'})}").title == "Good"


def test_an_author_is_found_behind_its_reference() -> None:
    graph = {
        "@graph": [
            {"@type": "WebSite", "name": "Site"},
            {"@type": "BlogPosting", "headline": "T &amp; U", "author": {"@id": "#ann"}, "image": {"url": "i.png"}},
            {"@type": "Person", "@id": "#ann", "name": "Ann"},
        ]
    }
    page = read(ld(graph))
    assert (page.title, page.author, page.site_name) == ("T & U", "Ann", "Site")
    assert page.image_url == "https://site.example/dir/i.png"


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("2024-02-03", datetime(2024, 2, 3, tzinfo=UTC)),
        ("2024/02/03", datetime(2024, 2, 3, tzinfo=UTC)),
        ("Sat, 03 Feb 2024 10:00:00 GMT", datetime(2024, 2, 3, 10, tzinfo=UTC)),
        ("2026-11-28T23:00:00Z", datetime(2026, 11, 28, 23, tzinfo=UTC)),
        ("2027-01-01", None),
        ("1970-01-01", None),
        ("0000-00-00", None),
        ("2024", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("yesterday", None),
        ("2024-02-30", None),
    ],
)
def test_a_date_is_neither_of_the_future_nor_absurd(said: str, wanted: datetime | None) -> None:
    assert read(f'<meta property="article:published_time" content="{said}">').published_at == wanted


@pytest.mark.parametrize(
    "href",
    ["javascript:alert(1)", "data:image/png;base64,AAAA", "file:///etc/passwd", "http://", "//[::1", "ftp://a/b"],
)
def test_only_web_addresses_are_kept(href: str) -> None:
    page = read(
        f'<link rel="canonical" href="{href}"><link rel="icon" href="{href}">'
        f'<meta property="og:image" content="{href}">'
        f'<meta http-equiv="refresh" content="0;url={href}">'
    )
    assert (page.canonical_url, page.favicon_url, page.image_url, page.refresh_url) == (None, None, None, None)


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("0; url=/next", "https://site.example/next"),
        ("5;URL='https://other.example/'", "https://other.example/"),
        ("3", None),
        ("60; url=/next", None),
        ("0; url=page?x=1", None),
    ],
)
def test_a_refresh_that_leads_elsewhere(content: str, wanted: str | None) -> None:
    assert read(f'<meta http-equiv="Refresh" content="{content}">').refresh_url == wanted


@pytest.mark.parametrize(
    ("html", "wanted"),
    [
        ('<div id="root"></div><script src="/app.js"></script>', True),
        ("<noscript>Please enable JavaScript.</noscript><p>Loading the page…</p><script>1</script>", True),
        ("<script>1</script>", True),
        ("<p>A short page without any script.</p>", False),
        (f'<div id="root"><p>{PROSE * 5}</p></div><script src="/app.js"></script>', False),
        ("<p>A short page with a counter of visits.</p><script>1</script>", False),
    ],
)
def test_a_page_that_is_only_a_script(html: str, wanted: bool) -> None:
    assert read(f"<title>x</title><body>{html}</body>").is_script_only is wanted


@pytest.mark.parametrize(
    "body", [b"%PDF-1.7 text", b"\x89PNG\r\n", bytes(range(256)) * 9, b"\0" * 2000, b"\x1f\x8b\x08\0"]
)
def test_what_is_no_text_is_refused(body: bytes) -> None:
    with pytest.raises(PageUnreadable):
        read(body)


@pytest.mark.parametrize("content_type", ["application/pdf", "image/png", "application/octet-stream", "video/mp4"])
def test_what_its_server_calls_something_else_is_refused(content_type: str) -> None:
    with pytest.raises(PageUnreadable):
        read("<title>x</title>", content_type)


def test_plain_text_is_its_own_main_text() -> None:
    page = read(PROSE + "<b>\n\n\n\n  more\x07", "text/plain")
    assert page.text == f"{PROSE}<b>\n\nmore"
    assert page.title is None


@pytest.mark.parametrize(
    ("prose", "language"),
    [
        ("Der Bäcker steht früh auf und backt das Brot für die ganze Stadt, bevor die Sonne aufgeht.", "de"),
        ("Le boulanger se lève tôt et fait cuire le pain pour toute la ville avant le lever du soleil.", "fr"),
        ("Пекарь встаёт рано и печёт хлеб для всего города, пока солнце ещё не взошло над крышами.", "ru"),
        ("パン屋は朝早く起きて、太陽が昇る前に町のみんなのためにパンを焼きます。とてもおいしいパンです。", "ja"),
        ("面包师很早就起床,在太阳升起之前为全城的人烤面包。他的面包非常好吃,大家都很喜欢。" * 2, "zh"),
        ("يستيقظ الخباز مبكرا ويخبز الخبز للمدينة كلها قبل شروق الشمس كل يوم من أيام الأسبوع.", "ar"),
    ],
)
def test_a_language_that_is_not_declared_is_recognised(prose: str, language: str) -> None:
    assert read(f"<title>x</title><article><p>{prose * 3}</p></article>").language == language


def test_a_declared_language_is_believed_and_nonsense_is_not() -> None:
    assert read(f'<html lang="pt-br"><p>{PROSE * 3}').language == "pt-BR"
    assert read(f'<html lang="{{{{ lang }}}}"><p>{PROSE * 3}').language == "en"
    assert read("<p>short").language is None


def test_what_lies_too_deep_is_left_out() -> None:
    page = read("<title>Deep</title><p>above</p>" + "<div>" * 100_000 + "below")
    assert (page.title, page.text) == ("Deep", "above")
    assert shallow("<div>" * MAX_DEPTH) == "<div>" * MAX_DEPTH
    assert shallow("<p>x<br>" * 5_000) == "<p>x<br>" * 5_000


def test_entities_are_not_multiplied() -> None:
    bomb = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12))
    page = read(f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "lol">{bomb}]><html><p>&a11;</p></html>', "text/xml")
    assert len(page.text) < 100


HOSTILE = st.one_of(
    st.binary(max_size=400),
    st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.lists(
        st.sampled_from([
            "<html lang='", "<meta property=og:title content='", "<script type=application/ld+json>", "</script>", "{",
            '"@graph":[', '"@type":"Article",', '"headline":"', "\\ud800", '"', "]", "}", "<div itemscope itemtype=x>",
            "<b itemprop=name>", "<div vocab=http://schema.org/ typeof=Article property=author>", "<title>", "&#0;",
            "&#xD800;", "\0", "\x1b", "<link rel=icon href='", "http://[", "'>", "<base href=//>", "<svg><title>",
            "<table>", "<template>", "<frameset>", "<plaintext>", "é", "字", "\u202e", "<p>words ", "<!--", "<![CDATA[",
        ])
    ).map(lambda parts: "".join(parts).encode()),
)  # fmt: skip


@given(HOSTILE, st.sampled_from([None, "text/html", "text/html; charset=utf-16", "text/plain", "x", "text/xml"]))
@settings(max_examples=300, deadline=None)
@example(b"<frameset><frame>", "text/html")
@example(b"", None)
def test_whatever_a_page_is_it_is_read_within_bounds_or_refused(body: bytes, content_type: str | None) -> None:
    try:
        page = read(body, content_type)
    except PageUnreadable:
        return
    for text, most in (
        (page.title, MAX_TITLE_CHARS),
        (page.description, MAX_DESCRIPTION_CHARS),
        (page.author, MAX_NAME_CHARS),
        (page.site_name, MAX_NAME_CHARS),
        (page.kind, MAX_NAME_CHARS),
        (page.text, MAX_TEXT_CHARS),
        *((word, MAX_KEYWORD_CHARS) for word in page.keywords),
    ):
        assert text is None or len(text) <= most
        assert text is None or not any(0xD800 <= ord(char) <= 0xDFFF or char == "\0" for char in text)
    assert len(page.keywords) <= MAX_KEYWORDS
    for url in (page.canonical_url, page.favicon_url, page.image_url, page.refresh_url):
        assert url is None or url.startswith(("http://", "https://"))
    assert page.published_at is None or page.published_at.year <= 2026
    assert len(page.digest) == 32
    assert -(2**63) <= page.fingerprint < 2**63

"""Which of the voices of a page is believed, field by field.

| field | the first that says something fit to be kept |
|---|---|
| title | Open Graph, JSON-LD, twitter:title, microdata, RDFa, Dublin Core, `<title>`, the first `<h1>` |
| description | Open Graph, JSON-LD, meta description, twitter:description, microdata, RDFa, Dublin Core |
| author | JSON-LD, microdata, RDFa, meta author, article:author, Dublin Core |
| site name | Open Graph, JSON-LD, microdata, RDFa, application-name, Dublin Core |
| published | JSON-LD, article:published_time, microdata, RDFa, Dublin Core, other metas, `<time>` in the article |
| language | `<html lang>`, Content-Language, og:locale, JSON-LD, Dublin Core; else detected in the main text |
| image | Open Graph, JSON-LD, twitter:image, microdata, RDFa, `link rel=image_src` |
| canonical URL | `link rel=canonical`, og:url |
| keywords | the union, in the order: meta keywords, article:tag, JSON-LD, microdata, RDFa, Dublin Core |
| kind | og:type, JSON-LD, microdata, RDFa |

Open Graph leads where a text is for showing the page elsewhere, which a bookmark does: it has no “ | Site” behind the
title. JSON-LD leads for facts (who, when), which search engines check.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final, TypeVar

from kit.page.cleaning import address, keywords, language, leads_inward, line, moment
from kit.page.outline import Outline
from kit.page.page import Said
from kit.page.structured import Structured

T = TypeVar("T")
_Voices = dict[str, tuple[list[str], ...]]

MAX_TITLE_CHARS: Final = 500
MAX_DESCRIPTION_CHARS: Final = 2_000
MAX_NAME_CHARS: Final = 200
MAX_AUTHORS: Final = 5
_DATE_METAS: Final = (
    "date", "pubdate", "publishdate", "publish_date", "citation_publication_date", "citation_date",
    "parsely-pub-date", "sailthru.date", "article.published", "datepublished",
)  # fmt: skip


def merge(page: Outline, said: Structured, now: datetime) -> Said:
    """Return what is believed. `now` decides what lies in the future."""
    words, facts, links = _words(page, said), _facts(page, said), _links(page, said)

    def link(href: str) -> str | None:
        found = address(href, page.base)
        return None if found is None or leads_inward(found, page.url) else found

    return Said(
        title=_first(_lines(MAX_TITLE_CHARS), words["title"]),
        description=_first(_lines(MAX_DESCRIPTION_CHARS), words["description"]),
        author=next((names for values in facts["author"] if (names := _authors(values))), None),
        site_name=_first(_lines(MAX_NAME_CHARS), facts["site_name"]),
        published_at=_first(lambda text: moment(text, now), facts["published"]),
        language=_first(language, facts["language"]),
        canonical_url=_first(link, links["canonical"]),
        favicon_url=_first(link, links["favicon"]),
        image_url=_first(link, links["image"]),
        keywords=keywords(text for values in words["keywords"] for text in values),
        kind=_first(_lines(MAX_NAME_CHARS), facts["kind"]),
    )


def _words(page: Outline, said: Structured) -> _Voices:
    """Return the voices for what shows the page elsewhere, in the order of the table above."""
    og, ld, micro, rdfa, dublin = said.open_graph, said.json_ld, said.microdata, said.rdfa, said.dublin_core
    return {
        "title": (
            og.get("title"),
            ld.get("title"),
            page.meta("twitter:title"),
            micro.get("title"),
            rdfa.get("title"),
            dublin.get("title"),
            [page.title or "", page.heading or ""],
        ),
        "description": (
            og.get("description"),
            ld.get("description"),
            page.meta("description", "twitter:description"),
            micro.get("description"),
            rdfa.get("description"),
            dublin.get("description"),
        ),
        "keywords": (
            page.meta("keywords", "news_keywords"),
            *(voice.get("keywords") for voice in (og, ld, micro, rdfa, dublin)),
        ),
    }


def _facts(page: Outline, said: Structured) -> _Voices:
    """Return the voices for who, when and what."""
    og, ld, micro, rdfa, dublin = said.open_graph, said.json_ld, said.microdata, said.rdfa, said.dublin_core
    return {
        "author": (
            *(voice.get("author") for voice in (ld, micro, rdfa)),
            page.meta("author"),
            og.get("author"),
            dublin.get("author"),
        ),
        "site_name": (
            *(voice.get("site_name") for voice in (og, ld, micro, rdfa)),
            page.meta("application-name"),
            dublin.get("site_name"),
        ),
        "published": (
            *(voice.get("published") for voice in (ld, og, micro, rdfa, dublin)),
            page.meta(*_DATE_METAS),
            [page.time or ""],
        ),
        "language": (
            [page.language or ""],
            page.meta("content-language"),
            *(voice.get("language") for voice in (og, ld, dublin)),
        ),
        "kind": tuple(voice.get("kind") for voice in (og, ld, micro, rdfa)),
    }


def _links(page: Outline, said: Structured) -> _Voices:
    """Return the voices for addresses."""
    return {
        "canonical": (page.links.get("canonical", []), said.open_graph.get("url")),
        "favicon": ([page.icon or ""],),
        "image": (
            said.open_graph.get("image"),
            said.json_ld.get("image"),
            page.meta("twitter:image", "twitter:image:src"),
            said.microdata.get("image"),
            said.rdfa.get("image"),
            page.links.get("image_src", []),
        ),
    }


def _lines(max_chars: int) -> Callable[[str], str | None]:
    return lambda text: line(text, max_chars)


def _first(read: Callable[[str], T | None], voices: Iterable[list[str]]) -> T | None:
    """Return the first value that `read` accepts."""
    return next((found for values in voices for text in values if (found := read(text)) is not None), None)


def _authors(values: list[str]) -> str | None:
    """Return the names among `values`, joined; an address of a profile is no name."""
    named = (line(text, MAX_NAME_CHARS) for text in values if "://" not in text and not text.startswith("@"))
    names = list(dict.fromkeys(name for name in named if name))[:MAX_AUTHORS]
    return line(", ".join(names), MAX_NAME_CHARS)

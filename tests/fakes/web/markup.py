"""The HTML of the local web: articles of a topic in numbered editions, no two of them alike."""

import html
import random
from itertools import combinations
from typing import Any

import orjson

from tests.fakes.web.topics import Topic

SITE_NAME = "The Local Web"
PUBLISHED = "2024-03-09T08:30:00+00:00"
SENTENCES = 6
"""How many of a topic's sentences an edition has."""

FOOTER = "Nothing on these pages is real; they are made for tests."


def numbered(title: str, number: int) -> str:
    """Return the title of an edition; the first ones, below 1, have none in their title."""
    return f"{title} ({number})" if number else title


def chosen(topic: Topic, number: int) -> list[str]:
    """Return the sentences of an edition. Editions that follow each other differ in words and not only in order."""
    choices = list(combinations(topic.sentences, SENTENCES))
    random.Random(topic.name).shuffle(choices)
    return list(choices[number % len(choices)])


def paragraphs(topic: Topic, number: int) -> list[str]:
    """Return the text of an edition in three paragraphs."""
    sentences = chosen(topic, number)
    joint = "" if topic.language in {"ja", "zh"} else " "
    return [joint.join(sentences[start : start + 2]) for start in range(0, SENTENCES, 2)]


def document(*, title: str | None, head: str = "", body: str, language: str = "en", attributes: str = "") -> str:
    """Return a whole page."""
    name = "" if title is None else f"<title>{html.escape(title)}</title>"
    return (
        f'<!doctype html>\n<html lang="{language}"{attributes}>\n<head>{name}\n{head}\n</head>\n'
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def text_of(topic: Topic, number: int, *, heading: bool = True) -> str:
    """Return the article's element."""
    top = f"<h1>{html.escape(numbered(topic.title, number))}</h1>\n" if heading else ""
    told = "\n".join(f"<p>{html.escape(text)}</p>" for text in paragraphs(topic, number))
    return f"<article>\n{top}{told}\n</article>"


def body_of(topic: Topic, number: int, *, heading: bool = True) -> str:
    """Return an article with what surrounds it on a real page."""
    return (
        '<header><nav><a href="/">Start</a> <a href="/archive">Archive</a> <a href="/about">About</a></nav></header>\n'
        f"<main>\n{text_of(topic, number, heading=heading)}\n</main>\n"
        f"<footer><p>{FOOTER}</p></footer>"
    )


def metas(*, attribute: str = "name", **content: str) -> str:
    """Return meta elements; two underscores in a name stand for a colon, one for a dot."""
    return "\n".join(
        f'<meta {attribute}="{name.replace("__", ":").replace("_", ".")}" content="{html.escape(value)}">'
        for name, value in content.items()
    )


def open_graph(**content: str) -> str:
    """Return Open Graph properties."""
    return "\n".join(
        f'<meta property="{name.replace("__", ":")}" content="{html.escape(value)}">' for name, value in content.items()
    )


def json_ld(data: dict[str, Any]) -> str:
    """Return a block of linked data."""
    told = orjson.dumps(data).decode().replace("</", "<\\/")
    return f'<script type="application/ld+json">{told}</script>'


def article(topic: Topic, number: int, *, head: str | None = None) -> bytes:
    """Return an ordinary article: title, description, main text."""
    said = metas(description=topic.description, author=topic.author) if head is None else head
    page = document(
        title=numbered(topic.title, number), head=said, body=body_of(topic, number), language=topic.language
    )
    return page.encode()


def notice(title: str, text: str) -> bytes:
    """Return a short page that says something to a person."""
    return document(title=title, body=f"<h1>{html.escape(title)}</h1>\n<p>{html.escape(text)}</p>").encode()

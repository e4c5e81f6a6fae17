"""Pages that are as they should be: articles in eight languages, and the ways in which pages describe themselves."""

from collections.abc import Callable
from typing import Any

from tests.fakes.web import markup
from tests.fakes.web.exchange import Answer, Exchange, Request
from tests.fakes.web.site import Check, Reading, Site
from tests.fakes.web.tongues import GERMAN, TONGUES
from tests.fakes.web.topics import BREAD, COFFEE, DATABASE, GARDEN, LEARNING, MUSIC, STARS, TOPICS, TRAIN, Topic

ALIVE = Check("OK", "ALIVE", "ALIVE")
DAY = markup.PUBLISHED
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360f8cfc000000301010018dd8db00000000049454e44ae426082"
)
"""The smallest picture there is."""


def serving(topic: Topic, head: Callable[[Request], str] | None = None) -> Answer:
    """Answer with an edition of an article, with a head of its own when one is given."""

    async def answer(exchange: Exchange) -> None:
        request = exchange.request
        said = None if head is None else head(request)
        await exchange.answer(200, markup.article(topic, request.number, head=said))

    return answer


async def picture(exchange: Exchange) -> None:
    """Answer with a picture."""
    await exchange.answer(200, PICTURE, {"Content-Type": "image/png"})


def plain(topic: Topic) -> Site:
    """Declare an ordinary article."""
    return Site(
        topic.name,
        serving(topic),
        ALIVE,
        Reading(topic.title, topic.description, topic.author, language=topic.language),
        topic,
        path=f"/articles/{topic.name}",
        others={"/favicon.ico": picture},
        share=10,
    )


def described(name: str, topic: Topic, head: Callable[[Request], str], **reading: Any) -> Site:
    """Declare an article that describes itself in some other way."""
    expected = Reading(**{"title": topic.title, "language": topic.language, **reading})
    return Site(
        f"describes-{name}",
        serving(topic, head),
        ALIVE,
        expected,
        topic,
        path=f"/by/{name}",
        others={"/cover.png": picture, "/icon.png": picture},
        share=3,
    )


def _json_ld(request: Request) -> str:
    return markup.json_ld(
        {
            "@context": "https://schema.org",
            "@type": "Article",
            "headline": markup.numbered(COFFEE.title, request.number),
            "description": COFFEE.description,
            "author": {"@type": "Person", "name": COFFEE.author},
            "publisher": {"@type": "Organization", "name": markup.SITE_NAME},
            "datePublished": DAY,
            "image": [f"{request.origin}/cover.png"],
            "keywords": "coffee, filter, brewing",
        }
    )


def _json_ld_graph(request: Request) -> str:
    article = {
        "@type": "BlogPosting",
        "headline": markup.numbered(BREAD.title, request.number),
        "description": BREAD.description,
        "author": [{"@id": "#author"}],
        "datePublished": DAY,
    }
    person = {"@type": "Person", "@id": "#author", "name": BREAD.author}
    broken = '<script type="application/ld+json">{"@type": "Article", "headline": </script>'
    return broken + markup.json_ld({"@context": "https://schema.org", "@graph": [person, article]})


def _open_graph(request: Request) -> str:
    return (
        markup.open_graph(
            og__type="article",
            og__title=markup.numbered(STARS.title, request.number),
            og__description=STARS.description,
            og__site_name=markup.SITE_NAME,
            og__image="/cover.png",
            og__locale="en_GB",
            article__published_time=DAY,
        )
        + '<link rel="icon" href="/icon.png">'
    )


def _twitter(request: Request) -> str:
    return markup.metas(
        twitter__card="summary",
        twitter__title=markup.numbered(MUSIC.title, request.number),
        twitter__description=MUSIC.description,
        twitter__image=f"{request.origin}/cover.png",
    )


def _dublin_core(request: Request) -> str:
    return markup.metas(
        DC_title=markup.numbered(TRAIN.title, request.number),
        DC_creator=TRAIN.author,
        DC_description=TRAIN.description,
        DC_date="2024-03-09",
        DC_language="en",
    )


def _keywords(_: Request) -> str:
    return markup.metas(description=GERMAN.description, author=GERMAN.author, keywords="Wandern, Hütten, Rucksack")


async def microdata(exchange: Exchange) -> None:
    """Answer with an article whose markup says what its parts are."""
    number, topic = exchange.request.number, DATABASE
    body = (
        '<main><article itemscope itemtype="https://schema.org/TechArticle">'
        f'<h1 itemprop="headline">{markup.numbered(topic.title, number)}</h1>'
        f'<p itemprop="description">{topic.description}</p>'
        f'<p>By <span itemprop="author" itemscope itemtype="https://schema.org/Person">'
        f'<span itemprop="name">{topic.author}</span></span>, '
        f'<time itemprop="datePublished" datetime="{DAY}">9 March 2024</time></p>'
        f'<div itemprop="articleBody">{markup.text_of(topic, number, heading=False)}</div></article></main>'
    )
    page = markup.document(title=markup.numbered(topic.title, number), body=body)
    await exchange.answer(200, page.encode())


async def rdfa(exchange: Exchange) -> None:
    """Answer with an article described by RDFa attributes."""
    number, topic = exchange.request.number, GARDEN
    body = (
        '<main><article vocab="https://schema.org/" typeof="Article">'
        f'<h1 property="headline">{markup.numbered(topic.title, number)}</h1>'
        f'<p property="description">{topic.description}</p>'
        f'<p>By <span property="author" typeof="Person"><span property="name">{topic.author}</span></span></p>'
        f'<meta property="datePublished" content="{DAY}">'
        f"{markup.text_of(topic, number, heading=False)}</article></main>"
    )
    page = markup.document(title=markup.numbered(topic.title, number), body=body)
    await exchange.answer(200, page.encode())


async def untitled(exchange: Exchange) -> None:
    """Answer with an article that has a heading and no title."""
    body = markup.body_of(LEARNING, exchange.request.number)
    await exchange.answer(200, markup.document(title=None, body=body).encode())


async def ranged(exchange: Exchange) -> None:
    """Answer a wish for the first bytes with just these."""
    page = markup.article(DATABASE, exchange.request.number)
    wanted = exchange.request.headers.get("range", "").removeprefix("bytes=").partition("-")
    if not (wanted[0].isdigit() and wanted[2].isdigit()):
        await exchange.answer(200, page, {"Accept-Ranges": "bytes"})
        return
    first, last = int(wanted[0]), min(int(wanted[2]), len(page) - 1)
    told = {"Accept-Ranges": "bytes", "Content-Range": f"bytes {first}-{last}/{len(page)}"}
    await exchange.answer(206, page[first : last + 1], told)


async def conditional(exchange: Exchange) -> None:
    """Answer with a tag, and that nothing has changed to who brings it along."""
    page = markup.article(GARDEN, exchange.request.number)
    told = {"ETag": f'"edition-{exchange.request.number}"', "Last-Modified": "Sat, 09 Mar 2024 08:30:00 GMT"}
    if exchange.request.headers.get("if-none-match") == told["ETag"]:
        await exchange.answer(304, headers=told)
    else:
        await exchange.answer(200, page, told)


_SELF: dict[str, Any] = {"description": DATABASE.description, "author": DATABASE.author}

ARTICLES = tuple(plain(topic) for topic in (*TOPICS, *TONGUES))
SELF_DESCRIBED = (
    described(
        "json-ld",
        COFFEE,
        _json_ld,
        description=COFFEE.description,
        author=COFFEE.author,
        site_name=markup.SITE_NAME,
        published=DAY,
        image="/cover.png",
        keywords=("coffee", "filter", "brewing"),
    ),
    described("json-ld-graph", BREAD, _json_ld_graph, description=BREAD.description, published=DAY),
    described(
        "open-graph",
        STARS,
        _open_graph,
        description=STARS.description,
        site_name=markup.SITE_NAME,
        published=DAY,
        image="/cover.png",
    ),
    described("twitter", MUSIC, _twitter, description=MUSIC.description, image="/cover.png"),
    described("dublin-core", TRAIN, _dublin_core, description=TRAIN.description, author=TRAIN.author),
    described(
        "keywords",
        GERMAN,
        _keywords,
        description=GERMAN.description,
        author=GERMAN.author,
        keywords=("Wandern", "Hütten", "Rucksack"),
    ),
    Site("describes-microdata", microdata, ALIVE, Reading(DATABASE.title, **_SELF), DATABASE, "/by/microdata", share=3),
    Site(
        "describes-rdfa",
        rdfa,
        ALIVE,
        Reading(GARDEN.title, GARDEN.description, GARDEN.author),
        GARDEN,
        "/by/rdfa",
        share=3,
    ),
    Site("untitled", untitled, ALIVE, Reading(LEARNING.title), LEARNING, "/by/nobody", share=2),
)
MECHANICS = (
    Site("ranges", ranged, ALIVE, Reading(DATABASE.title, **_SELF), DATABASE, "/pieces", share=2),
    Site(
        "conditional",
        conditional,
        ALIVE,
        Reading(GARDEN.title, GARDEN.description, GARDEN.author),
        GARDEN,
        "/unchanged",
        share=2,
    ),
)

"""Pages that are the same under several addresses, and pages that change."""

from tests.fakes.web import markup
from tests.fakes.web.exchange import Exchange
from tests.fakes.web.good import ALIVE, serving
from tests.fakes.web.site import Check, Reading, Site
from tests.fakes.web.topics import BICYCLE, COFFEE, DATABASE, GARDEN, TRAIN

CANONICAL = "/the/one"


async def canonical(exchange: Exchange) -> None:
    """Answer with an article that names another path as its proper address."""
    place = exchange.request.origin + exchange.request.at(CANONICAL)
    link = f'<link rel="canonical" href="{place}">{markup.metas(description=DATABASE.description)}'
    await exchange.answer(200, markup.article(DATABASE, exchange.request.number, head=link))


async def mirrored(exchange: Exchange) -> None:
    """Answer with the same bytes whatever the edition."""
    await exchange.answer(200, markup.article(TRAIN, 0))


async def switched(exchange: Exchange) -> None:
    """Answer with an article, or with what the switches of this web say has become of it."""
    where = exchange.switches.get(exchange.request.path, "")
    if where == "replaced":
        await exchange.answer(200, markup.article(GARDEN, exchange.request.number))
    elif where == "emptied":
        page = markup.document(title=COFFEE.title, body="<main><p>Closed.</p></main>")
        await exchange.answer(200, page.encode())
    elif where.isdigit():
        await exchange.answer(int(where), markup.notice("Switched", "This page is what a test makes of it."))
    else:
        await serving(COFFEE)(exchange)


async def flapping(exchange: Exchange) -> None:
    """Be out of order at the first request for an edition, and answer every later one."""
    if exchange.times == 1:
        await exchange.answer(503, markup.notice("Maintenance", "Back in a moment."))
    else:
        await serving(BICYCLE)(exchange)


_TWIN = Reading(DATABASE.title, DATABASE.description, canonical=CANONICAL)
SITES = (
    Site("canonical", canonical, ALIVE, _TWIN, DATABASE, CANONICAL, others={"/print": canonical}, share=2),
    Site("mirror", mirrored, ALIVE, Reading(TRAIN.title, is_numbered=False), TRAIN, "/mirror", share=2),
    Site("switched", switched, ALIVE, Reading(COFFEE.title), COFFEE, "/switched", share=0),
    Site("flapping", flapping, ALIVE, Reading(BICYCLE.title), BICYCLE, "/flapping", share=2),
)
SECURE = (
    Site("tls-trusted", serving(COFFEE), ALIVE, Reading(COFFEE.title), COFFEE, "/safe", share=0, listens="trusted"),
    Site("tls-expired", serving(COFFEE), Check("TLS_ERROR", "INCONCLUSIVE", "INCONCLUSIVE", None), listens="expired"),
    Site(
        "tls-self-signed",
        serving(COFFEE),
        Check("TLS_ERROR", "INCONCLUSIVE", "INCONCLUSIVE", None),
        listens="self-signed",
    ),
    Site(
        "tls-hostname",
        serving(COFFEE),
        Check("TLS_ERROR", "INCONCLUSIVE", "INCONCLUSIVE", None),
        share=0,
        listens="hostname",
    ),
    Site("tls-none", serving(COFFEE), Check("TLS_ERROR", "INCONCLUSIVE", "INCONCLUSIVE", None), listens="plain"),
    Site(
        "closed",
        serving(COFFEE),
        Check("CONNECTION_REFUSED", "SUSPECT", "DEAD", None),
        listens="closed",
    ),
)
"""Pages behind encryption that is right, wrong or missing, and one where nobody listens."""

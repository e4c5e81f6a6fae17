"""Pages that lie elsewhere: redirects of every kind, proper and not."""

from tests.fakes.web import markup
from tests.fakes.web.exchange import Answer, Exchange
from tests.fakes.web.good import ALIVE, serving
from tests.fakes.web.site import Check, Reading, Site
from tests.fakes.web.topics import BICYCLE, MONEY, PYTHON, SECURITY, TRAIN, Topic

NEW = "/new/place"
PERMANENT = Check("REDIRECTED_PERMANENT", "ALIVE", "ALIVE", final=NEW)
TEMPORARY = Check("REDIRECTED_TEMPORARY", "ALIVE", "ALIVE", final=NEW)
METADATA_SERVICE = "169.254.169.254"


def to(status: int, path: str, *, is_absolute: bool = False) -> Answer:
    """Send the visitor to another page of the host, with the same query."""

    async def answer(exchange: Exchange) -> None:
        request = exchange.request
        place = request.at(path)
        await exchange.answer(status, headers={"Location": request.origin + place if is_absolute else place})

    return answer


def straight_to(status: int, address: str) -> Answer:
    """Send the visitor to a fixed address, without the query."""

    async def answer(exchange: Exchange) -> None:
        await exchange.answer(status, headers={"Location": address})

    return answer


async def countdown(exchange: Exchange) -> None:
    """Send the visitor on and on: every page of this host leads to the next."""
    step = exchange.request.path.rpartition("/")[2]
    number = int(step) if step.isdigit() else 0
    await exchange.answer(302, headers={"Location": exchange.request.at(f"/stairs/{number + 1}")})


async def refreshing(exchange: Exchange) -> None:
    """Send the visitor on by the page and not by the answer."""
    place = exchange.request.at(NEW)
    page = markup.document(
        title="Moved",
        head=f'<meta http-equiv="refresh" content="0; url={place}">',
        body=f'<p>This page has moved <a href="{place}">to another place</a>.</p>',
    )
    await exchange.answer(200, page.encode())


async def to_another_host(exchange: Exchange) -> None:
    """Send the visitor to the same path of the host whose last octet is one less or more."""
    request = exchange.request
    start, _, last = request.host.rpartition(".")
    await exchange.answer(301, headers={"Location": f"http://{start}.{int(last) ^ 1}:{request.port}{request.at(NEW)}"})


async def without_location(exchange: Exchange) -> None:
    """Claim to have moved and not say where."""
    await exchange.answer(302, markup.notice("Found", "But nobody says where."))


def leading(name: str, topic: Topic, check: Check, answer: Answer, others: dict[str, Answer] | None = None) -> Site:
    """Declare a page that leads to an article of a topic."""
    return Site(
        name,
        answer,
        check,
        Reading(topic.title, topic.description, topic.author, language="en"),
        topic,
        path="/old/place",
        others={**(others or {}), NEW: serving(topic)},
        share=3,
    )


_ROUND = Check("TOO_MANY_REDIRECTS", "SUSPECT", "DEAD", None)
SITES = (
    leading("moved-301", BICYCLE, PERMANENT, to(301, NEW, is_absolute=True)),
    leading("moved-308", MONEY, PERMANENT, to(308, NEW)),
    leading("moved-302", PYTHON, TEMPORARY, to(302, NEW)),
    leading("moved-303", SECURITY, TEMPORARY, to(303, NEW, is_absolute=True)),
    leading("moved-307", TRAIN, TEMPORARY, to(307, NEW)),
    leading("chain-permanent", BICYCLE, PERMANENT, to(301, "/a"), {"/a": to(308, "/b"), "/b": to(301, NEW)}),
    leading("chain-mixed", MONEY, TEMPORARY, to(301, "/a"), {"/a": to(302, NEW)}),
    leading("moved-host", PYTHON, PERMANENT, to_another_host),
    Site(
        "refresh",
        refreshing,
        ALIVE,
        Reading("Moved", is_numbered=False),
        path="/old/refresh",
        shown=Reading(BICYCLE.title, BICYCLE.description, BICYCLE.author, language="en"),
        others={NEW: serving(BICYCLE)},
    ),
    Site(
        "loop",
        to(302, "/round"),
        _ROUND,
        path="/round/and/round",
        others={"/round": to(302, "/round/and/round")},
    ),
    Site("stairs", countdown, _ROUND, path="/stairs", elsewhere=countdown),
    Site("nowhere", without_location, Check("SERVER_ERROR", "INCONCLUSIVE", "INCONCLUSIVE", None), path="/old/lost"),
    Site(
        "inward",
        straight_to(302, f"http://{METADATA_SERVICE}/latest/meta-data/"),
        Check("BLOCKED_PRIVATE", "INCONCLUSIVE", "INCONCLUSIVE", None),
        path="/old/inward",
    ),
    Site(
        "to-ftp",
        straight_to(301, "ftp://127.0.0.1/file"),
        Check("UNSUPPORTED_SCHEME", "INCONCLUSIVE", "INCONCLUSIVE", None),
        path="/old/ftp",
    ),
)

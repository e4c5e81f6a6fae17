"""Pages that are refused, gone, or only look as if they were there."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from tests.fakes.web import markup
from tests.fakes.web.exchange import Answer, Exchange
from tests.fakes.web.good import ALIVE, serving
from tests.fakes.web.moved import straight_to, to
from tests.fakes.web.site import Check, Reading, Site
from tests.fakes.web.topics import BREAD, GARDEN, LEARNING, MUSIC, SECURITY, STARS, Topic

PATIENCE_SECONDS = 3_600
"""How long the pages with 429 ask to be left alone."""

ABOUT_404 = "How we wrote a better 404 page"
HELPFUL = "Why an error page should help, and what ours says."


def saying(status: int, title: str, text: str, headers: dict[str, str] | None = None) -> Answer:
    """Answer with a status and a short page."""

    async def answer(exchange: Exchange) -> None:
        await exchange.answer(status, markup.notice(title, text), headers)

    return answer


def head_refused(status: int, topic: Topic) -> Answer:
    """Answer HEAD with a status and GET with an article."""
    page = serving(topic)

    async def answer(exchange: Exchange) -> None:
        if exchange.request.method == "HEAD":
            await exchange.answer(status)
        else:
            await page(exchange)

    return answer


async def busy_until(exchange: Exchange) -> None:
    """Ask for patience until a moment."""
    until = datetime.now(UTC) + timedelta(seconds=PATIENCE_SECONDS)
    told = {"Retry-After": format_datetime(until, usegmt=True)}
    await exchange.answer(429, markup.notice("Too many requests", "Come back later."), told)


async def lander(exchange: Exchange) -> None:
    """Offer the whole domain for sale, whatever is asked for."""
    page = markup.document(
        title=f"{exchange.request.host} is for sale",
        head=markup.metas(description="This domain is parked. Buy this domain today."),
        body="<h1>This domain is for sale</h1><p>This domain name is parked. Inquire about buying this domain.</p>"
        '<p>Related searches</p><ul><li><a href="/s?q=cheap">Cheap offers</a></li>'
        '<li><a href="/s?q=loans">Loans</a></li><li><a href="/s?q=insurance">Insurance</a></li></ul>',
    )
    await exchange.answer(200, page.encode())


async def the_same_for_all(exchange: Exchange) -> None:
    """Answer every path with one and the same page that says nothing of an error."""
    page = markup.document(
        title="Shop of many things", body="<h1>Our shop</h1><p>Browse our offers of the week, all in one place.</p>"
    )
    await exchange.answer(200, page.encode())


async def login(exchange: Exchange) -> None:
    """Ask for a name and a password."""
    page = markup.document(
        title="Sign in",
        body='<h1>Sign in</h1><form method="post" action="/login"><label>Name <input name="user"></label>'
        '<label>Password <input type="password" name="password"></label><button>Sign in</button></form>',
    )
    await exchange.answer(200, page.encode())


async def nothing(exchange: Exchange) -> None:
    """Answer with success and no content at all."""
    await exchange.answer(200)


def found(name: str, topic: Topic, answer: Answer) -> Site:
    """Declare a page that a GET finds."""
    reading = Reading(topic.title, topic.description, topic.author, language="en")
    return Site(name, answer, ALIVE, reading, topic, path=f"/{name}", share=2)


def refused(name: str, check: Check, answer: Answer) -> Site:
    """Declare a page that is not to be had."""
    return Site(name, answer, check, path=f"/{name}", share=2)


def _unclear(status: str, http_status: int) -> Check:
    return Check(status, "INCONCLUSIVE", "INCONCLUSIVE", http_status)


_GONE = "It was here and is no more."
HEADS = (
    found("head-405", BREAD, head_refused(405, BREAD)),
    found("head-404", GARDEN, head_refused(404, GARDEN)),
    found("head-403", MUSIC, head_refused(403, MUSIC)),
    found("head-501", STARS, head_refused(501, STARS)),
)
STATUSES = (
    refused("status-404", Check("NOT_FOUND", "SUSPECT", "DEAD", 404), saying(404, "404 Not Found", "No such page.")),
    refused("status-410", Check("GONE", "SUSPECT", "DEAD", 410), saying(410, "Gone", _GONE)),
    refused(
        "status-401",
        _unclear("AUTH_REQUIRED", 401),
        saying(401, "Unauthorized", "Who are you?", {"WWW-Authenticate": 'Basic realm="members"'}),
    ),
    refused("status-403", _unclear("FORBIDDEN_OR_BOT_BLOCKED", 403), saying(403, "Forbidden", "You may not.")),
    refused(
        "bot-wall",
        _unclear("FORBIDDEN_OR_BOT_BLOCKED", 403),
        saying(403, "Just a moment...", "Checking your browser.", {"cf-mitigated": "challenge", "Server": "wall"}),
    ),
    refused("status-999", _unclear("FORBIDDEN_OR_BOT_BLOCKED", 999), saying(999, "Denied", "Request denied.")),
    refused("status-400", Check("CLIENT_ERROR", "SUSPECT", "DEAD", 400), saying(400, "Bad Request", "Not like this.")),
    refused(
        "status-429",
        _unclear("RATE_LIMITED", 429),
        saying(429, "Too many requests", "Come back later.", {"Retry-After": str(PATIENCE_SECONDS)}),
    ),
    refused("status-429-date", _unclear("RATE_LIMITED", 429), busy_until),
    refused("status-500", _unclear("SERVER_ERROR", 500), saying(500, "Oops", "Something broke.")),
    refused("status-503", _unclear("SERVER_ERROR", 503), saying(503, "Maintenance", "Back soon.")),
)
_SOFT = Check("SOFT_404", "SUSPECT", "DEAD", 200)
SOFT = (
    refused("soft-title", _SOFT, saying(200, "Page not found", "Sorry, the page you are looking for does not exist.")),
    Site(
        "soft-root", straight_to(302, "/"), Check("SOFT_404", "SUSPECT", "DEAD", 200, "/"), path="/deep/link", share=2
    ),
    Site(
        "soft-file",
        to(302, "/404.html"),
        Check("SOFT_404", "SUSPECT", "DEAD", 200, "/404.html"),
        path="/deep/file",
        others={"/404.html": saying(200, "Oh no", "We have looked everywhere.")},
        share=2,
    ),
    Site("soft-same", the_same_for_all, _SOFT, path="/offers/17", elsewhere=the_same_for_all, share=2),
    Site(
        "parked",
        lander,
        Check("PARKED", "SUSPECT", "DEAD", 200),
        path="/blog/post",
        others={"/": lander},
        elsewhere=lander,
        share=2,
    ),
    Site("login-wall", login, Check("AUTH_REQUIRED", "INCONCLUSIVE", "INCONCLUSIVE", 200), path="/members/only"),
    Site(
        "login-redirect",
        to(302, "/login"),
        Check("AUTH_REQUIRED", "INCONCLUSIVE", "INCONCLUSIVE", 200, "/login"),
        path="/members/area",
        others={"/login": login},
    ),
    refused("empty", _SOFT, nothing),
)


async def about_missing_pages(exchange: Exchange) -> None:
    """Answer with an article whose subject is the page that is not found."""
    number = exchange.request.number
    title = markup.numbered(ABOUT_404, number)
    page = markup.document(
        title=title,
        head=markup.metas(description=HELPFUL),
        body=f"<main><article><h1>{title}</h1><p>Most visitors of an error page followed an old link.</p>"
        f"{markup.text_of(SECURITY, number, heading=False)}</article></main>",
    )
    await exchange.answer(200, page.encode())


async def with_login_form(exchange: Exchange) -> None:
    """Answer with an article that has a small form for members beside it."""
    page = markup.article(LEARNING, exchange.request.number)
    form = b'<form action="/login"><input name="user"><input type="password" name="password"><button>Sign in</button>'
    await exchange.answer(200, page.replace(b"</header>", form + b"</form></header>"))


LOOKALIKES = (
    Site(
        "talks-of-404",
        about_missing_pages,
        ALIVE,
        Reading(ABOUT_404, HELPFUL),
        SECURITY,
        path="/blog/404-page",
        share=2,
    ),
    found("offers-login", LEARNING, with_login_form),
)
SITES = (*HEADS, *STATUSES, *SOFT, *LOOKALIKES)

"""Pages that answer 200 and are not there, and pages that only look so."""

import pytest

from kit.page import Page
from services.validation.content import compare
from services.validation.phrases import CAPTCHA, LOGIN, NOT_FOUND
from services.validation.phrases import PARKED as PARKED_PHRASES
from services.validation.signs import (
    Reading,
    fingerprint_of,
    is_deep,
    is_like_random,
    is_suspicious,
    sibling,
    signs_of_address,
    signs_of_page,
)
from services.validation.states import ContentState, Fingerprint, LinkDetail, LinkStatus

DEEP = "https://example.org/articles/2019/on-bees"
SOFT, PARKED, AUTH = LinkStatus.SOFT_404, LinkStatus.PARKED, LinkStatus.AUTH_REQUIRED


def page(title: str | None = "On bees", text: str = "bees hum", words: int = 500, **more: object) -> Page:
    """A page that says this."""
    values: dict[str, object] = dict.fromkeys(
        ("description", "author", "site_name", "published_at", "language", "canonical_url", "favicon_url", "image_url")
    )
    values |= {"keywords": (), "kind": None, "reading_time_seconds": 0, "fingerprint": 0, "digest": bytes(32)}
    values |= {"is_script_only": False, "has_password_field": False, "refresh_url": None, "link_count": 3} | more
    return Page(title=title, text=text, word_count=words, **values)  # type: ignore[arg-type]  # as Page has them


def signs(shown: Page, url: str = DEEP) -> tuple[LinkStatus, LinkDetail | None] | None:
    """What such a page behind `url` tells."""
    return signs_of_page(Reading(url, url, shown))


@pytest.mark.parametrize(
    "title",
    [
        "Page not found",
        "404 - Example",
        "Error 404 (Not Found)!!1",
        "Example | Seite nicht gefunden",
        "Page introuvable – Le Journal",
        "Página no encontrada",
        "Страница не найдена · Сайт",
        "ページが見つかりません",
        "页面不存在",
        "We’re sorry, page doesn’t exist",
    ],
)
def test_a_title_that_says_there_is_no_page(title: str) -> None:
    assert signs(page(title, words=120)) == (SOFT, LinkDetail.SAYS_NOT_FOUND)


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("How to design a page that says page not found and is loved", 120),
        ("Page not found", 900),
        ("The 404 bus and its history", 900),
        ("Lost and found in the archives of Europe", 120),
        ("On bees", 5),
    ],
)
def test_a_page_about_error_pages_is_a_page(title: str, words: int) -> None:
    assert signs(page(title, words=words)) is None


def test_few_words_that_say_there_is_no_page() -> None:
    assert signs(page("Example", "Sorry, this page no longer exists. Try the search.", words=9)) == (
        *(SOFT, LinkDetail.SAYS_NOT_FOUND),
    )
    assert signs(page("Example", "Sorry, this page no longer exists. " + "word " * 90, words=95)) is None


def test_a_parked_name() -> None:
    assert signs(page("example.org", "This domain is for sale. Related searches", words=20)) == (PARKED, None)
    assert signs(page("example.org - Diese Domain steht zum Verkauf", words=250)) == (PARKED, None)
    assert signs(page("My years in domain parking", words=2_000)) is None
    assert signs_of_address(DEEP, "https://www.hugedomains.com/domain_profile.cfm?d=example.org") == (PARKED, None)


def test_a_login_wall_is_not_a_missing_page() -> None:
    wall = page("Sign in - Example", "Email Password", words=6, has_password_field=True)
    assert signs(wall) == (AUTH, LinkDetail.LOGIN_WALL)
    assert signs(wall, "https://example.org/login") is None
    assert signs(page("On bees", words=800, has_password_field=True)) is None
    assert signs_of_address(DEEP, "https://example.org/login?next=/articles") == (AUTH, LinkDetail.LOGIN_WALL)
    assert signs_of_address("https://example.org/login", "https://example.org/login/") is None


def test_a_bot_wall_is_not_a_missing_page() -> None:
    assert signs(page("Just a moment...", "Enable JavaScript", words=8)) == (
        *(LinkStatus.FORBIDDEN_OR_BOT_BLOCKED, LinkDetail.CAPTCHA),
    )


def test_an_empty_page() -> None:
    assert signs(page(None, "", words=0, link_count=0)) == (SOFT, LinkDetail.EMPTY)
    assert signs(page(None, "", words=0, link_count=0, is_script_only=True)) is None
    assert signs(page(None, "", words=0, link_count=0, image_url="https://example.org/a.png")) is None


@pytest.mark.parametrize(
    ("url", "final", "found"),
    [
        (DEEP, "https://example.org/", LinkDetail.REDIRECTED_TO_ROOT),
        (DEEP, "https://www.example.org/en/", LinkDetail.REDIRECTED_TO_ROOT),
        (DEEP, "https://elsewhere.example/", LinkDetail.REDIRECTED_TO_ROOT),
        (DEEP, "https://example.org/404.html", LinkDetail.ERROR_PAGE),
        (DEEP, "https://example.org/errors/notfound", LinkDetail.ERROR_PAGE),
        (DEEP, "https://example.org/404/", LinkDetail.ERROR_PAGE),
        (DEEP, "https://example.org/page-not-found", LinkDetail.ERROR_PAGE),
        (DEEP, "https://example.org/?p=123", None),
        (DEEP, "https://example.org/articles/on-bees", None),
        (DEEP, "https://example.org/buses/404-to-town", None),
        ("https://example.org/index.html", "https://example.org/", None),
        ("https://example.org/home", "https://example.org/", None),
        ("http://example.org", "https://example.org/", None),
        ("https://short.example/x7Gq", "https://shop.test/", None),
    ],
)
def test_where_a_link_ends(url: str, final: str, found: LinkDetail | None) -> None:
    told = signs_of_address(url, final)
    assert told == (None if found is None else (SOFT, found))


def test_what_is_worth_a_probe() -> None:
    short, long = page(words=30), page(words=400)
    assert is_suspicious(Reading(DEEP, DEEP, short), is_unlike_saved=False)
    assert not is_suspicious(Reading(DEEP, DEEP, long), is_unlike_saved=False)
    assert is_suspicious(Reading(DEEP, DEEP, long), is_unlike_saved=True)
    assert is_suspicious(Reading(DEEP, "https://example.org/other", long), is_unlike_saved=False)
    assert not is_suspicious(Reading(DEEP, DEEP, page(words=30, is_script_only=True)), is_unlike_saved=True)
    assert not is_suspicious(Reading(DEEP, "https://example.org/", short), is_unlike_saved=True)
    assert not is_suspicious(Reading(DEEP, DEEP, None), is_unlike_saved=True)


def test_a_probe_asks_for_a_neighbour() -> None:
    assert sibling(DEEP + "?a=b#c", "q1w2") == "https://example.org/articles/2019/q1w2"
    assert sibling("https://example.org/a/", "q1w2") == "https://example.org/q1w2"
    random, shown = Fingerprint(b"a" * 32, 0b1011, 40), page("Our Shop", words=41, fingerprint=0b1010)
    assert is_like_random(shown, "our shop", random)
    assert not is_like_random(shown, "our shop, page 2", random)
    assert not is_like_random(page("Our Shop", words=41, fingerprint=-1), "our shop", random)
    assert is_deep(DEEP)
    assert not is_deep("https://example.org/de/")


def prints(simhash: int, words: int = 200, digest: bytes = b"d") -> Fingerprint:
    """What a page says, told by its hash."""
    return Fingerprint(digest * 32, simhash, words)


@pytest.mark.parametrize(
    ("saved", "now", "status", "detail", "state"),
    [
        (prints(0), prints(0), LinkStatus.OK, None, ContentState.UNCHANGED),
        (prints(0), prints(0b111, digest=b"e"), LinkStatus.OK, None, ContentState.UNCHANGED),
        (prints(0), prints(0b1111, digest=b"e"), LinkStatus.OK, None, ContentState.CHANGED),
        (prints(0), prints(-1, digest=b"e"), LinkStatus.OK, None, ContentState.REPLACED),
        (prints(0, 10), prints(-1, 12, b"e"), LinkStatus.OK, None, ContentState.CHANGED),
        (prints(0), prints(-1, 2, b"e"), LinkStatus.OK, None, ContentState.EMPTIED),
        (prints(0), None, LinkStatus.SOFT_404, LinkDetail.EMPTY, ContentState.EMPTIED),
        (None, None, LinkStatus.SOFT_404, LinkDetail.EMPTY, ContentState.UNKNOWN),
        (prints(0), prints(-1), LinkStatus.PARKED, None, ContentState.PARKED),
        (None, prints(0), LinkStatus.OK, None, ContentState.UNKNOWN),
        (prints(0), None, LinkStatus.OK, None, ContentState.UNKNOWN),
    ],
)
def test_what_became_of_a_page(
    saved: Fingerprint | None,
    now: Fingerprint | None,
    status: LinkStatus,
    detail: LinkDetail | None,
    state: ContentState,
) -> None:
    assert compare(saved, now, status, detail) is state


def test_the_fingerprint_of_a_page() -> None:
    shown = page(fingerprint=-5, digest=b"x" * 32, words=12)
    assert fingerprint_of(shown) == Fingerprint(b"x" * 32, -5, 12)


def test_no_phrase_is_so_short_that_it_is_in_everything() -> None:
    for phrases in (NOT_FOUND, PARKED_PHRASES, LOGIN, CAPTCHA):
        assert all(len(phrase) >= 2 and phrase == phrase.casefold() for phrase in phrases)
        assert min(len(phrase) for phrase in phrases if phrase.isascii()) >= 5

"""Signs that a page answered 200 and is not there: error pages, parked names, walls, empty pages (soft 404).

Each rule is narrow, because a page about error pages is a page. What is only suspicious is worth a question more: the
server is asked once for an address that cannot exist (Bar-Yossef et al., "Sic transit gloria telae", 2004), and what it
answers tells its error page from its pages.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from kit.page import Page
from services.validation.content import EMPTY_WORDS, is_same_text
from services.validation.phrases import CAPTCHA, LOGIN, NOT_FOUND, PARKED, PARKING_HOSTS
from services.validation.states import Fingerprint, LinkDetail, LinkStatus

Signs = tuple[LinkStatus, LinkDetail | None]

MANY_WORDS: Final = 300
"""A page with so many words says something, whatever its title is."""

FEW_WORDS: Final = 100
_HARDLY_WORDS: Final = 60
_LOOKED_THROUGH_CHARS: Final = 2_000
_TITLE_EXTRA_CHARS: Final = 24
_SEPARATORS: Final = re.compile(r"\s[-\u2013\u2014|·:»«•]\s|[|·»«•]|:\s")
_ERROR_NUMBER: Final = re.compile(r"(?:(?:error|fehler|erreur|http)\s*)?(?:404|410)\b")
_ERROR_PATH: Final = re.compile(
    r"(?:^|[/_.-])(?:404|410|error-?404|404-?error|page-?not-?found|not-?found|notfound|pagenotfound)"
    r"(?:\.(?:html?|php|aspx?|jsp))?/?$",
    re.IGNORECASE,
)
_LOGIN_PATH: Final = re.compile(
    r"(?:^|[/_.-])(?:login|log-in|signin|sign-in|logon|sso|auth|authenticate|anmelden|anmeldung|connexion|wp-login)"
    r"(?:[/_.-]|$)",
    re.IGNORECASE,
)
_ROOT: Final = re.compile(r"/?(?:[a-z]{2}(?:[-_][a-z]{2})?/?)?(?:(?:index|default|home)\.\w{3,5})?", re.IGNORECASE)
_HOME_NAMES: Final = frozenset({"home", "start", "welcome", "main"})
_TITLE_CHARS: Final = 300
_SHORT_PATH_CHARS: Final = 12


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read behind an address: where it ended, and the page; None where no page could be read."""

    url: str
    final_url: str
    page: Page | None


def fingerprint_of(page: Page) -> Fingerprint:
    """Return what a page says, as it is kept and compared."""
    return Fingerprint(page.digest, page.fingerprint, page.word_count)


def signs_of_address(url: str, final_url: str) -> Signs | None:
    """Return what the way from `url` to `final_url` alone tells: an error page, the front page, a parking service."""
    asked, ended = urlsplit(url), urlsplit(final_url)
    if is_parking_host(ended.hostname) and not is_parking_host(asked.hostname):
        return LinkStatus.PARKED, None
    if _ERROR_PATH.search(ended.path) and not _ERROR_PATH.search(asked.path):
        return LinkStatus.SOFT_404, LinkDetail.ERROR_PAGE
    if _LOGIN_PATH.search(ended.path) and not _LOGIN_PATH.search(asked.path):
        return LinkStatus.AUTH_REQUIRED, LinkDetail.LOGIN_WALL
    if is_deep(url) and not ended.query and _ROOT.fullmatch(ended.path) and _is_one_site(url, final_url):
        return LinkStatus.SOFT_404, LinkDetail.REDIRECTED_TO_ROOT
    return None


def signs_of_page(reading: Reading) -> Signs | None:
    """Return what a page tells of itself, None for a page that looks like one."""
    page = reading.page
    if page is None:
        return None
    title, text = _plain(page.title or ""), _plain(page.text[:_LOOKED_THROUGH_CHARS])
    for found, signs in (
        (_is_wall(page, title), (LinkStatus.FORBIDDEN_OR_BOT_BLOCKED, LinkDetail.CAPTCHA)),
        (_is_parked(page, title, text), (LinkStatus.PARKED, None)),
        (_is_login(reading, title), (LinkStatus.AUTH_REQUIRED, LinkDetail.LOGIN_WALL)),
        (_says_not_found(page, title, text), (LinkStatus.SOFT_404, LinkDetail.SAYS_NOT_FOUND)),
        (is_empty(page), (LinkStatus.SOFT_404, LinkDetail.EMPTY)),
    ):
        if found:
            return signs
    return None


def is_empty(page: Page) -> bool:
    """Tell whether a page shows nothing: no title, no text, no links, and no script that could bring them."""
    return not (page.title or page.text or page.link_count or page.image_url or page.is_script_only)


def is_suspicious(reading: Reading, *, is_unlike_saved: bool) -> bool:
    """Tell whether it is worth asking the server for an address that cannot exist.

    Only of deep links whose page has few words, or is not what was saved, or stands at another path. Never of a page
    made by scripts: a server gives the same shell for every address.
    """
    page = reading.page
    if page is None or page.is_script_only or page.word_count < EMPTY_WORDS or not is_deep(reading.final_url):
        return False
    is_elsewhere = urlsplit(reading.url).path.rstrip("/") != urlsplit(reading.final_url).path.rstrip("/")
    return page.word_count < FEW_WORDS or is_unlike_saved or is_elsewhere


def title_of(page: Page) -> str:
    """Return a page's title as probes keep it."""
    return _plain(page.title or "")[:_TITLE_CHARS]


def is_like_random(page: Page, title: str | None, random: Fingerprint) -> bool:
    """Tell whether a page is what its server shows, with this title, at an address that cannot exist."""
    return title_of(page) == title and is_same_text(fingerprint_of(page), random)


def sibling(url: str, name: str) -> str:
    """Return the address beside `url`, in the same folder, that is called `name`."""
    parts = urlsplit(url)
    folder = parts.path.rstrip("/").rpartition("/")[0]
    return parts._replace(path=f"{folder}/{name}", query="", fragment="").geturl()


def is_deep(url: str) -> bool:
    """Tell whether an address leads into a site, and not to its front page."""
    parts = urlsplit(url)
    name = parts.path.strip("/").lower()
    return bool(parts.query) or not (_ROOT.fullmatch(parts.path) or name in _HOME_NAMES)


def is_parking_host(host: str | None) -> bool:
    """Tell whether a host belongs to a service that shows advertisements on names nobody uses."""
    parts = (host or "").lower().split(".")
    return any(".".join(parts[start:]) in PARKING_HOSTS for start in range(len(parts) - 1))


def _is_one_site(url: str, final_url: str) -> bool:
    """Tell whether two addresses are of one site, or the first is too long for a short link to the other."""
    asked, ended = urlsplit(url), urlsplit(final_url)
    mine, theirs = ((parts.hostname or "").split(".")[-2:] for parts in (asked, ended))
    return mine == theirs or bool(asked.query) or len(asked.path.strip("/")) > _SHORT_PATH_CHARS


def _is_wall(page: Page, title: str) -> bool:
    return page.word_count < FEW_WORDS and any(title.startswith(phrase) for phrase in CAPTCHA)


def _is_parked(page: Page, title: str, text: str) -> bool:
    if page.word_count < FEW_WORDS and _has_any(text, PARKED):
        return True
    return page.word_count < MANY_WORDS and _has_any(title, PARKED)


def _says_not_found(page: Page, title: str, text: str) -> bool:
    if page.word_count < _HARDLY_WORDS and _has_any(text, NOT_FOUND):
        return True
    return page.word_count < MANY_WORDS and _titled_not_found(title)


def _is_login(reading: Reading, title: str) -> bool:
    page = reading.page
    if page is None or not page.has_password_field or _LOGIN_PATH.search(urlsplit(reading.url).path):
        return False
    return page.word_count < FEW_WORDS and (_has_any(title, LOGIN) or is_deep(reading.url))


def _titled_not_found(title: str) -> bool:
    """Tell whether one part of a title says that there is no page, and hardly more."""
    for part in (piece.strip(" .!?…") for piece in _SEPARATORS.split(title)):
        if _ERROR_NUMBER.match(part) and len(part) <= _TITLE_EXTRA_CHARS * 2:
            return True
        if any(phrase in part and len(part) <= len(phrase) + _TITLE_EXTRA_CHARS for phrase in NOT_FOUND):
            return True
    return False


def _has_any(text: str, phrases: tuple[str, ...]) -> bool:
    return any(phrase in text for phrase in phrases)


def _plain(text: str) -> str:
    """Return text as the phrases are written."""
    return " ".join(text.casefold().replace("\u2019", "'").split())

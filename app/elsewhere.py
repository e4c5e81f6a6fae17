"""`/sign-in/oidc` and `/sign-in/proxy`: signing in with the word of an identity provider or of the proxy in front.

Both end with the session cookie and lead back to a page of this server. What a sign-in at the provider needs on its way
back is in a cookie of its own, sealed with the secret key and good for ten minutes: nothing is kept here for somebody
who may never come back. The cookie also ties the answer to the browser that asked, which a link cannot forge.
"""

import hmac
import time
from dataclasses import asdict
from html import escape
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from typing import Any, Final

import orjson
import structlog
from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.exceptions import NotFoundException

from app.graphql.callers import Headers, refuse_foreign_page
from app.graphql.cookies import host_cookie, session_cookie
from app.pages import HEADERS, MAX_FORM_BYTES, STATUS, Form, alert, asking, page
from kit.crypto import CannotDecrypt, SecretKey
from kit.errors import BadInput, Forbidden, GraphmarkError, Unauthenticated
from kit.fetch import Fetcher
from kit.oidc import Departure, IdentityProvider
from kit.settings import Settings
from resolvers.context import Services
from resolvers.server import OIDC_PATH, PROXY_PATH
from services import auth
from services.auth import Challenge, Person, SignedIn

log = structlog.get_logger(__name__)

CALLBACK_PATH: Final = f"{OIDC_PATH}/callback"
CODE_PATH: Final = "/sign-in/code"
COOKIE: Final = "__Host-graphmark-oidc"
SECONDS: Final = 600
_USE: Final = "oidc"
_MAX_SHOWN_CHARS: Final = 100


def make_provider(settings: Settings, fetcher: Fetcher) -> IdentityProvider | None:
    """Return the identity provider of the settings, or None when there is none."""
    if settings.oidc_issuer is None or settings.oidc_client_id is None:
        return None
    return IdentityProvider(
        fetcher,
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        redirect_uri=settings.origin + CALLBACK_PATH,
        scopes=settings.oidc_scopes,
    )


@get(OIDC_PATH, include_in_schema=False)
async def start(request: Request[Any, Any, Any]) -> Response[str]:
    """Send a browser to the identity provider; `?next=/path` is where it comes back to."""
    services: Services = request.app.state.services
    try:
        departure = await _provider(request).depart()
    except GraphmarkError as error:
        return _refused(error)
    kept = _seal(services.secret_key, departure, next_path(request.query_params.get("next")))
    return _moved(departure.url, host_cookie(COOKIE, kept, max_age_seconds=SECONDS))


@get(CALLBACK_PATH, include_in_schema=False)
async def callback(request: Request[Any, Any, Any]) -> Response[str]:
    """Take somebody back from the identity provider: signed in, or told why not."""
    services: Services = request.app.state.services
    forget = host_cookie(COOKIE, "", max_age_seconds=0)
    accounts, device = asking(request)
    try:
        departure, after = _unseal(services.secret_key, Headers(request.scope))
        code = _answered(request, departure)
        claims = await _provider(request).arrive(code, request.query_params.get("iss"), departure)
        person = auth.person_of(claims, services.settings)
        signed_in = await auth.sign_in_elsewhere(accounts, person, device)
    except GraphmarkError as error:
        log.info("oidc.refused", code=error.code, reason=error.message)
        return _refused(error, forget)
    return _let_in(signed_in, after, forget)


@get(PROXY_PATH, include_in_schema=False)
async def by_proxy(request: Request[Any, Any, Any]) -> Response[str]:
    """Sign in whom the proxy names in its header, if the request comes from a proxy that is believed."""
    services: Services = request.app.state.services
    accounts, device = asking(request)
    try:
        person = _named_by_proxy(request, services.settings)
        signed_in = await auth.sign_in_elsewhere(accounts, person, device)
    except GraphmarkError as error:
        return _refused(error)
    return _let_in(signed_in, next_path(request.query_params.get("next")))


@post(CODE_PATH, include_in_schema=False, request_max_body_size=MAX_FORM_BYTES)
async def code(
    request: Request[Any, Any, Any],
    data: Form,
) -> Response[str]:
    """Take the code of the second factor, for an account that has one."""
    services: Services = request.app.state.services
    challenge, after = str(data.get("challenge", "")), next_path(str(data.get("next", "")))
    accounts, device = asking(request)
    try:
        refuse_foreign_page(Headers(request.scope), services.settings)
        verified = await auth.verify(accounts, challenge_token=challenge, code=str(data.get("code", "")), device=device)
    except GraphmarkError as error:
        form = _code_form(challenge, after, wrong=error.message)
        return page("Your second factor", form, status=STATUS.get(error.code, 400))
    return _moved(after, session_cookie(verified.signed_in))


def next_path(wanted: str | None) -> str:
    """Return a path on this server to lead to, never another site: `/` for anything that could be one."""
    if wanted is None or not wanted.startswith("/") or wanted.startswith("//"):
        return "/"
    return wanted if wanted.isascii() and wanted.isprintable() and "\\" not in wanted else "/"


def _named_by_proxy(request: Request[Any, Any, Any], settings: Settings) -> Person:
    """Return whom the proxy in front names. Raises `Forbidden` for anybody else who sends its header."""
    if settings.proxy_auth_header is None:
        raise NotFoundException
    headers = Headers(request.scope)
    try:
        client = request.scope["client"] or ("", 0)
        peer = ip_address(client[0])  # who is connected, whatever any header says
    except ValueError:
        raise Forbidden("Requests to this address come through the proxy only.") from None
    if not any(peer in network for network in settings.proxy_auth_networks):
        raise Forbidden("Requests to this address come through the proxy only.")
    named = headers.all(settings.proxy_auth_header.lower())
    if len(named) > 1:
        raise Forbidden(f"{settings.proxy_auth_header} is there twice: the proxy has to remove what clients send.")
    if not named or not named[0]:
        raise Unauthenticated(f"The proxy names nobody in {settings.proxy_auth_header}.")
    return auth.person_of_proxy(named[0])


def _answered(request: Request[Any, Any, Any], departure: Departure) -> str:
    """Return the code of the provider's answer, once that belongs to what this browser began."""
    query = request.query_params
    if not hmac.compare_digest(str(query.get("state", "")).encode(), departure.state.encode()):
        raise Forbidden("This answer does not belong to the sign-in that this browser began; start again.")
    if "error" in query:
        shown = "".join(char for char in str(query["error"])[:_MAX_SHOWN_CHARS] if char.isprintable())
        raise Unauthenticated(f"The identity provider did not sign you in: {shown}.")
    code = query.get("code")
    if not code:
        raise BadInput("The identity provider's answer holds no code.")
    return str(code)


def _seal(key: SecretKey, departure: Departure, after: str) -> str:
    kept = {**asdict(departure), "url": "", "next": after, "until": int(time.time()) + SECONDS}
    return key.encrypt(_USE, orjson.dumps(kept)).hex()


def _unseal(key: SecretKey, headers: Headers) -> tuple[Departure, str]:
    """Return what this browser took along, and where it wanted to. Raises `Forbidden` when that is not to be had."""
    try:
        morsel = SimpleCookie(headers.get("cookie") or "").get(COOKIE)
        kept = orjson.loads(key.decrypt(_USE, bytes.fromhex(morsel.value))) if morsel is not None else {}
    except (CookieError, ValueError, CannotDecrypt):
        kept = {}
    if not kept or kept.pop("until") < time.time():
        raise Forbidden("This sign-in was not begun in this browser, or more than ten minutes ago; start again.")
    after = kept.pop("next")
    return Departure(**kept), after


def _provider(request: Request[Any, Any, Any]) -> IdentityProvider:
    provider: IdentityProvider | None = request.app.state.identity_provider
    if provider is None:
        raise NotFoundException
    return provider


def _let_in(granted: SignedIn | Challenge, after: str, *cookies: Cookie) -> Response[str]:
    """Lead on with a session, or ask for the code of the second factor first."""
    if isinstance(granted, SignedIn):
        return _moved(after, session_cookie(granted), *cookies)
    asked = page("Your second factor", _code_form(granted.token, after))
    for cookie in cookies:
        asked.set_cookie(cookie)
    return asked


def _code_form(challenge: str, after: str, *, wrong: str = "") -> str:
    return f"""{alert(wrong)}
<p>This account asks for a code of its authenticator app as well, or for one of its recovery codes.</p>
<form method="post" action="{CODE_PATH}">
<input type="hidden" name="challenge" value="{escape(challenge)}">
<input type="hidden" name="next" value="{escape(after)}">
<label for="code">Code</label>
<input id="code" name="code" required autofocus autocomplete="one-time-code" maxlength="100">
<button>Sign in</button>
</form>"""


def _moved(where: str, *cookies: Cookie) -> Response[str]:
    return Response("", status_code=303, headers={**HEADERS, "location": where}, cookies=cookies)


def _refused(error: GraphmarkError, *cookies: Cookie) -> Response[str]:
    text = f'{alert(error.message)}<p><a href="{OIDC_PATH}">Try again</a></p>'
    refusal = page("You are not signed in", text, status=STATUS.get(error.code, 400))
    for cookie in cookies:
        refusal.set_cookie(cookie)
    return refusal

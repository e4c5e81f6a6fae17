"""What the plain pages of this server share: HTML without script, forms, who sends them, and what was wrong."""

from html import escape
from typing import Annotated, Any, Final

from litestar import Request, Response
from litestar.enums import RequestEncodingType
from litestar.params import Body

from app.graphql.callers import Headers, network_address, user_agent
from kit.errors import ErrorCode
from resolvers.context import Services
from services.auth import Accounts, Device

MAX_FORM_BYTES = 16_384
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    # The address holds the token, so no other site may see it; `no-referrer` would make the form's Origin `null`.
    "referrer-policy": "same-origin",
}
STATUS: Final = {
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.CONFLICT: 409,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.UNAVAILABLE: 503,
}
"""What a refusal is answered with; every other one with 400."""
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 26rem; margin: 12vh auto; padding: 0 1rem; color: #1d2330 }
label { display: block; margin: 1rem 0 .25rem; font-weight: 600 }
input { width: 100%; box-sizing: border-box; padding: .55rem; font: inherit; border: 1px solid #8a93a5 }
button { margin-top: 1.5rem; padding: .6rem 1.4rem; font: inherit; color: #fff; background: #2456c9; border: 0 }
[role=alert] { padding: .6rem .8rem; background: #fdecea; border-left: 4px solid #c0392b }
small { color: #5b6475 }
@media (prefers-color-scheme: dark) { body { background: #14171f; color: #e6e9f0 } [role=alert] { color: #1d2330 } }
"""
Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


def page(title: str, body: str, *, status: int = 200) -> Response[str]:
    """Return a plain page of this server. `body` is HTML: whatever comes from outside has been escaped."""
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport"'
        f' content="width=device-width"><title>{title}</title><style>{_STYLE}</style></head>'
        f"<body><h1>{title}</h1>{body}</body></html>"
    )
    return Response(html, status_code=status, media_type="text/html", headers=HEADERS)


def alert(wrong: str) -> str:
    """Return what was wrong as HTML; nothing for nothing."""
    return f'<p role="alert">{escape(wrong)}</p>' if wrong else ""


def asking(request: Request[Any, Any, Any]) -> tuple[Accounts, Device]:
    """Return what the services of accounts need, and where a request comes from."""
    services: Services = request.app.state.services
    headers = Headers(request.scope)
    address = network_address(request.scope, headers, services.settings)
    return Accounts(services.database, services.passwords, services.settings), Device(user_agent(headers), address)

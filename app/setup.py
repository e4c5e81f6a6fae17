"""`/`, the front door, and `/setup`, the page behind the one-time link of a fresh server.

There its administrator chooses a password. Plain HTML without script, so that it works before anything was built. The
token in the link is the secret: the form carries it back, and whoever has no valid one can do nothing here (see
services.auth.register).
"""

from html import escape
from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from app.graphql.callers import Headers, network_address, refuse_foreign_page, user_agent
from kit.errors import Forbidden, GraphmarkError
from kit.rates.budgets import network_of
from resolvers.context import Services
from services import auth
from services.auth import Accounts, Device

MAX_FORM_BYTES = 16_384
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    # The address holds the token, so no other site may see it; `no-referrer` would make the form's Origin `null`.
    "referrer-policy": "same-origin",
}
STATUS = {"FORBIDDEN": 403, "CONFLICT": 409, "RATE_LIMITED": 429}
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 26rem; margin: 12vh auto; padding: 0 1rem; color: #1d2330 }
label { display: block; margin: 1rem 0 .25rem; font-weight: 600 }
input { width: 100%; box-sizing: border-box; padding: .55rem; font: inherit; border: 1px solid #8a93a5 }
button { margin-top: 1.5rem; padding: .6rem 1.4rem; font: inherit; color: #fff; background: #2456c9; border: 0 }
[role=alert] { padding: .6rem .8rem; background: #fdecea; border-left: 4px solid #c0392b }
small { color: #5b6475 }
@media (prefers-color-scheme: dark) { body { background: #14171f; color: #e6e9f0 } [role=alert] { color: #1d2330 } }
"""


@get("/", include_in_schema=False, sync_to_thread=False)
def front_door() -> Redirect:
    """Lead whoever opens the bare address to the page that this server has."""
    return Redirect("/graphql", status_code=307)


@get("/setup", include_in_schema=False, sync_to_thread=False)
def setup_form(request: Request[Any, Any, Any]) -> Response[str]:
    """Show the form of the link that was followed."""
    token = request.query_params.get("token")
    if not token:
        text = "<p>This page opens from the link that the server printed when it started. Copy the whole link.</p>"
        return page("Set up Graphmark", text, status=400)
    return page("Set up Graphmark", _form(token))


@post("/setup", include_in_schema=False, request_max_body_size=MAX_FORM_BYTES)
async def setup(
    request: Request[Any, Any, Any],
    data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[str]:
    """Open the account, or show the form again with what was wrong."""
    services: Services = request.app.state.services
    values = {name: str(data.get(name, "")) for name in ("token", "email", "name", "password")}
    headers = Headers(request.scope)
    accounts = Accounts(services.database, services.passwords, services.settings)
    address = network_address(request.scope, headers, services.settings)
    device = Device(user_agent=user_agent(headers), network_address=address)
    try:
        refuse_foreign_page(headers, services.settings)
        if not values["token"]:
            raise Forbidden("This page opens from the link that the server printed when it started.")
        await services.limits.registration(network_of(address))
        signed_in = await auth.register(
            accounts,
            email=values["email"],
            password=values["password"],
            name=values["name"],
            invite_token=values["token"],
            device=device,
        )
    except GraphmarkError as error:
        form = _form(values["token"], email=values["email"], name=values["name"], wrong=error.message)
        return page("Set up Graphmark", form, status=STATUS.get(error.code, 400))
    who = escape(signed_in.user.email)
    text = (
        f"<p><strong>{who}</strong> is ready, with the role {signed_in.user.role}.</p>"
        '<p>Open <a href="/graphql">GraphiQL</a> and sign in with the mutation <code>login</code>, or use the command'
        " line. Store the password in a password manager: nobody else knows it.</p>"
    )
    return page("Your account is open", text, status=201)


def _form(token: str, *, email: str = "", name: str = "", wrong: str = "") -> str:
    alert = f'<p role="alert">{escape(wrong)}</p>' if wrong else ""
    return f"""{alert}
<p>Choose how you sign in. This link works once.</p>
<form method="post" action="/setup">
<input type="hidden" name="token" value="{escape(token)}">
<label for="name">Name</label>
<input id="name" name="name" value="{escape(name)}" required maxlength="100" autocomplete="name">
<label for="email">E-mail address</label>
<input id="email" name="email" type="email" value="{escape(email)}" required autocomplete="username">
<label for="password">Password</label>
<input id="password" name="password" type="password" required minlength="8" autocomplete="new-password">
<small>At least 8 characters; a sentence is a good one.</small>
<br><button>Open the account</button>
</form>"""


def page(title: str, body: str, *, status: int = 200) -> Response[str]:
    """Return a plain page of this server. `body` is HTML: whatever comes from outside has been escaped."""
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport"'
        f' content="width=device-width"><title>{title}</title><style>{_STYLE}</style></head>'
        f"<body><h1>{title}</h1>{body}</body></html>"
    )
    return Response(html, status_code=status, media_type="text/html", headers=HEADERS)

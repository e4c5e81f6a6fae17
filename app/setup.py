"""`/`, the front door, and `/setup`, the page behind the one-time link of a fresh server.

There its administrator chooses a password. Plain HTML without script, so that it works before anything was built. The
token in the link is the secret: the form carries it back, and whoever has no valid one can do nothing here (see
services.auth.register).
"""

from html import escape
from typing import Any

from litestar import Request, Response, get, post
from litestar.response import Redirect

from app.graphql.callers import Headers, refuse_foreign_page
from app.pages import MAX_FORM_BYTES, STATUS, Form, alert, asking, page
from kit.errors import Forbidden, GraphmarkError
from kit.rates.budgets import network_of
from resolvers.context import Services
from services import auth


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
    data: Form,
) -> Response[str]:
    """Open the account, or show the form again with what was wrong."""
    services: Services = request.app.state.services
    values = {name: str(data.get(name, "")) for name in ("token", "email", "name", "password")}
    accounts, device = asking(request)
    try:
        refuse_foreign_page(Headers(request.scope), services.settings)
        if not values["token"]:
            raise Forbidden("This page opens from the link that the server printed when it started.")
        await services.limits.registration(network_of(device.network_address))
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
    return f"""{alert(wrong)}
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

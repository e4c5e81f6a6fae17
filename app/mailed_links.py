"""`/reset-password` and `/verify-email`, the pages behind the links in mails. Plain HTML without script.

Opening a link changes nothing, because programs that look through mail open links too; the button on the page does. The
token in the address is the secret. No other page is told it (`Referrer-Policy: no-referrer`), nothing keeps it, and
whoever has none can do nothing here, so a form of another site can do no more than one that is typed in.
"""

from html import escape
from typing import Any, Final

from litestar import Request, Response, get, post

from app.graphql.callers import Headers, refuse_foreign_page
from app.pages import HEADERS, MAX_FORM_BYTES, STATUS, Form, alert, asking, page
from kit.errors import GraphmarkError
from services import auth

_HEADERS: Final = {**HEADERS, "referrer-policy": "no-referrer"}
_RESET, _VERIFY = "Choose a new password", "Confirm your address"
_WHOLE = "<p>This page opens from the link in a mail. Copy the whole link.</p>"


@get("/reset-password", include_in_schema=False, sync_to_thread=False)
def reset_form(request: Request[Any, Any, Any]) -> Response[str]:
    """Show the form of the link that was followed."""
    token = request.query_params.get("token")
    return _page(_RESET, _reset_form(token)) if token else _page(_RESET, _WHOLE, status=400)


@post("/reset-password", include_in_schema=False, request_max_body_size=MAX_FORM_BYTES)
async def reset(request: Request[Any, Any, Any], data: Form) -> Response[str]:
    """Set the password, or show the form again with what was wrong."""
    token, code = str(data.get("token", "")), str(data.get("code", ""))
    accounts, device = asking(request)
    try:
        _refuse_foreign(request)
        await auth.reset_password(
            accounts, token=token, new_password=str(data.get("password", "")), code=code.strip() or None, device=device
        )
    except GraphmarkError as error:
        needs_code = bool(code) or error.field[-1:] == ("code",)
        form = _reset_form(token, needs_code=needs_code, wrong=error.message)
        return _page(_RESET, form, status=STATUS.get(error.code, 400))
    return _page("Your password is set", "<p>All sessions have ended. Sign in with the new password.</p>")


@get("/verify-email", include_in_schema=False, sync_to_thread=False)
def verify_form(request: Request[Any, Any, Any]) -> Response[str]:
    """Show a button: the link alone confirms nothing."""
    token = request.query_params.get("token")
    return _page(_VERIFY, _verify_form(token)) if token else _page(_VERIFY, _WHOLE, status=400)


@post("/verify-email", include_in_schema=False, request_max_body_size=MAX_FORM_BYTES)
async def verify(request: Request[Any, Any, Any], data: Form) -> Response[str]:
    """Confirm the address, or say what was wrong."""
    token = str(data.get("token", ""))
    accounts, device = asking(request)
    try:
        _refuse_foreign(request)
        user = await auth.verify_email(accounts, token=token, device=device)
    except GraphmarkError as error:
        return _page(_VERIFY, alert(error.message), status=STATUS.get(error.code, 400))
    return _page("Your address is confirmed", f"<p><strong>{escape(user.email)}</strong> is yours.</p>")


def _refuse_foreign(request: Request[Any, Any, Any]) -> None:
    """Refuse a form of another site where the browser tells. These pages have no origin by their own policy."""
    headers = Headers(request.scope)
    if headers.get("origin") != "null" or headers.get("sec-fetch-site"):
        refuse_foreign_page(headers, request.app.state.services.settings)


def _reset_form(token: str, *, needs_code: bool = False, wrong: str = "") -> str:
    code = """
<label for="code">Code of your second factor</label>
<input id="code" name="code" required maxlength="100" autocomplete="one-time-code">"""
    return f"""{alert(wrong)}
<p>This link works once.</p>
<form method="post" action="/reset-password">
<input type="hidden" name="token" value="{escape(token)}">
<label for="password">New password</label>
<input id="password" name="password" type="password" required minlength="8" autocomplete="new-password">
<small>At least 8 characters; a sentence is a good one.</small>{code if needs_code else ""}
<br><button>Set the password</button>
</form>"""


def _verify_form(token: str) -> str:
    return f"""<form method="post" action="/verify-email">
<input type="hidden" name="token" value="{escape(token)}">
<p>Confirm that this address is yours.</p>
<button>Confirm</button>
</form>"""


def _page(title: str, body: str, *, status: int = 200) -> Response[str]:
    response = page(title, body, status=status)
    response.headers.update(_HEADERS)
    return response

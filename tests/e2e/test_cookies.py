"""The session cookie in a real browser: kept without TLS on the browser's own machine, and out of reach of scripts."""

import json

import pytest

from tests.e2e.browser import Page

pytestmark = pytest.mark.browser

REGISTER = """
mutation { register(input: {email: "ada@example.org", password: "a battery, correct, and a horse", name: "Ada",
  cookie: true}) { session { token } user { email } userErrors { message } } }
"""
LOGOUT = "mutation { logout { ended } }"
WHOAMI = "{ viewer { email } }"


async def ask(page: Page, query: str) -> object:
    """Have the page ask, with nothing but what the browser sends by itself."""
    body = json.dumps(json.dumps({"query": query}))
    return await page.evaluate(
        f"fetch('/graphql', {{method: 'POST', headers: {{'content-type': 'application/json'}}, body: {body}}})"
        ".then(answer => answer.json())"
    )


async def test_a_page_is_signed_in_by_a_cookie_that_it_cannot_read(page: Page, origin: str) -> None:
    await page.open(origin.replace("127.0.0.1", "localhost") + "/graphql")
    signed_in = {
        "data": {"register": {"session": {"token": None}, "user": {"email": "ada@example.org"}, "userErrors": []}}
    }
    assert await ask(page, REGISTER) == signed_in
    assert await page.evaluate("document.cookie") == ""
    assert await ask(page, WHOAMI) == {"data": {"viewer": {"email": "ada@example.org"}}}
    assert await ask(page, LOGOUT) == {"data": {"logout": {"ended": True}}}
    assert await ask(page, WHOAMI) == {"data": {"viewer": None}}

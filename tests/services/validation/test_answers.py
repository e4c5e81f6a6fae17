"""What answers of servers mean, and how they are asked."""

from datetime import UTC, datetime, timedelta

import pytest

from kit.fetch import Failure, Headers
from services.validation.answers import is_bomb, permanent_target, status_of, status_of_failure
from services.validation.asking import (
    get_headers,
    head_headers,
    is_html,
    needs_get,
    needs_get_after,
    retry_at,
    validator,
)
from services.validation.states import LinkDetail, LinkStatus

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
NONE = Headers([])


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (200, LinkStatus.OK),
        (206, LinkStatus.OK),
        (304, LinkStatus.OK),
        (400, LinkStatus.CLIENT_ERROR),
        (401, LinkStatus.AUTH_REQUIRED),
        (402, LinkStatus.AUTH_REQUIRED),
        (403, LinkStatus.FORBIDDEN_OR_BOT_BLOCKED),
        (404, LinkStatus.NOT_FOUND),
        (407, LinkStatus.AUTH_REQUIRED),
        (408, LinkStatus.TIMEOUT),
        (410, LinkStatus.GONE),
        (418, LinkStatus.CLIENT_ERROR),
        (429, LinkStatus.RATE_LIMITED),
        (451, LinkStatus.CLIENT_ERROR),
        (500, LinkStatus.SERVER_ERROR),
        (503, LinkStatus.SERVER_ERROR),
        (999, LinkStatus.FORBIDDEN_OR_BOT_BLOCKED),
    ],
)
def test_statuses(code: int, status: LinkStatus) -> None:
    assert status_of(code, NONE, []) == (status, None)


def test_a_code_that_http_does_not_have_is_a_broken_answer() -> None:
    assert status_of(700, NONE, []) == (LinkStatus.SERVER_ERROR, LinkDetail.BAD_RESPONSE)


def test_redirects_are_permanent_when_each_of_them_is() -> None:
    assert status_of(200, NONE, [True, True])[0] is LinkStatus.REDIRECTED_PERMANENT
    assert status_of(200, NONE, [True, False])[0] is LinkStatus.REDIRECTED_TEMPORARY
    assert status_of(404, NONE, [True])[0] is LinkStatus.NOT_FOUND
    hops = [
        (301, "https://b.example/"),
        (308, "https://c.example/"),
        (302, "https://d.example/"),
        (301, "https://e.example/"),
    ]
    assert permanent_target(hops) == "https://c.example/"
    assert permanent_target(hops[2:]) is None


def test_a_firewall_that_wants_a_person_is_no_error_of_the_page() -> None:
    challenge = Headers([("CF-Mitigated", "challenge")])
    assert status_of(503, challenge, []) == (LinkStatus.FORBIDDEN_OR_BOT_BLOCKED, LinkDetail.CAPTCHA)


@pytest.mark.parametrize("failure", list(Failure))
def test_every_failure_has_a_status(failure: Failure) -> None:
    assert isinstance(status_of_failure(failure)[0], LinkStatus)


@pytest.mark.parametrize("code", [400, 403, 404, 405, 406, 409, 410, 429, 500, 501, 503, 520])
def test_head_is_not_believed(code: int) -> None:
    assert needs_get(code, NONE)


@pytest.mark.parametrize("code", [200, 204, 301, 304, 401, 402, 451])
def test_head_is_believed(code: int) -> None:
    assert not needs_get(code, NONE)


def test_a_server_that_says_when_to_come_back_is_not_asked_again() -> None:
    assert not needs_get(429, Headers([("Retry-After", "10")]))


def test_get_is_tried_where_head_may_be_the_fault() -> None:
    assert {one for one in Failure if needs_get_after(one)} == {
        *(Failure.CONNECTION_RESET, Failure.TIMEOUT, Failure.BAD_RESPONSE),
    }


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("120", timedelta(seconds=120)),
        (" 5 ", timedelta(seconds=5)),
        ("999999", timedelta(hours=24)),
        ("9" * 40, timedelta(hours=24)),
        ("Thu, 01 Jan 2026 12:30:00 GMT", timedelta(minutes=30)),
        ("Thursday, 01-Jan-26 12:30:00 GMT", timedelta(minutes=30)),
        ("Fri, 01 Jan 2027 00:00:00 GMT", timedelta(hours=24)),
    ],
)
def test_retry_after(value: str, wait: timedelta) -> None:
    assert retry_at(value, NOW) == NOW + wait


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "0",
        "-5",
        "soon",
        "1.5",
        "\u0661\u0662",
        "Wed, 31 Dec 2025 00:00:00 GMT",
        "Thu, 99 Jan 2026 99:00:00 GMT",
    ],
)
def test_a_retry_after_that_says_nothing(value: str | None) -> None:
    assert retry_at(value, NOW) is None


def test_headers_that_are_sent() -> None:
    assert head_headers('"abc"', "Thu, 01 Jan 2026 00:00:00 GMT") == {
        "If-None-Match": '"abc"',
        "If-Modified-Since": "Thu, 01 Jan 2026 00:00:00 GMT",
    }
    assert head_headers(None, None) == {}
    assert get_headers() == {"Range": "bytes=0-999999"}


@pytest.mark.parametrize("value", [None, "", "a" * 501, "two\r\nlines", "\u2603"])
def test_a_validator_that_cannot_be_sent_again(value: str | None) -> None:
    assert validator(value) is None


def test_a_bomb_is_told_from_a_large_page() -> None:
    gzip = [("Content-Encoding", "gzip")]
    assert is_bomb(Headers([*gzip, ("Content-Length", "9000")]), 1_000_000, is_truncated=True)
    assert not is_bomb(Headers([*gzip, ("Content-Length", "200000")]), 1_000_000, is_truncated=True)
    assert not is_bomb(Headers([*gzip, ("Content-Length", "9000")]), 1_000_000, is_truncated=False)
    assert not is_bomb(Headers([("Content-Length", "9000")]), 1_000_000, is_truncated=True)
    assert is_bomb(Headers(gzip), 1_000_000, is_truncated=True)


@pytest.mark.parametrize(
    ("content_type", "is_page"),
    [(None, True), ("text/html; charset=utf-8", True), ("Application/XHTML+xml", True), ("application/pdf", False)],
)
def test_what_is_read(content_type: str | None, *, is_page: bool) -> None:
    assert is_html(content_type) is is_page

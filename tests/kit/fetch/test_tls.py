"""Certificates: judged by the name although an address is dialled, and told apart when they are wrong."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from kit.fetch import Failure
from tests.kit.fetch.outside import PUBLIC, Names, always, answer, failing, failure, listening, outside_fetcher

NAMES = Names({"public.test": [PUBLIC], "other.test": [PUBLIC], "public.test.": [PUBLIC]})


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who issues certificates that are trusted."""
    return trustme.CA()


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """How the fetcher judges."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def presenting(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """How a server shows a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


async def test_the_name_is_checked_and_the_connection_used_again(
    authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    shown: list[str | None] = []
    server = presenting(authority.issue_cert("public.test"))
    server.sni_callback = lambda _socket, name, _context: shown.append(name)
    async with (
        listening(always(answer()), tls=server) as outside,
        outside_fetcher(NAMES, tls=trusting) as fetcher,
    ):
        for _ in range(3):
            response = await fetcher.fetch(outside.url(scheme="https"))
            assert (response.status, response.address) == (200, PUBLIC)
        assert outside.connections == 1
        assert (await fetcher.fetch(outside.url(scheme="https", host="public.test."))).status == 200
        assert shown == ["public.test", "public.test"]
        error = await failing(fetcher, outside.url(scheme="https", host="other.test"))
        assert (error.failure, error.message) == (
            Failure.TLS_HOSTNAME,
            "The server's certificate belongs to another name.",
        )
        assert await failure(fetcher, outside.url(scheme="https", host=PUBLIC)) is Failure.TLS_HOSTNAME
    assert len(outside.heads) == 4


async def test_a_certificate_for_an_address(authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    server = presenting(authority.issue_cert(PUBLIC))
    async with listening(always(answer()), tls=server) as outside, outside_fetcher(tls=trusting) as fetcher:
        assert (await fetcher.fetch(outside.url(scheme="https", host=PUBLIC))).status == 200


async def test_certificates_that_are_wrong(authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    now = datetime.now(UTC)
    past = authority.issue_cert("public.test", not_before=now - timedelta(days=9), not_after=now - timedelta(days=1))
    future = authority.issue_cert("public.test", not_before=now + timedelta(days=1))
    stranger = trustme.CA().issue_cert("public.test")
    for certificate, expected in (
        (past, Failure.TLS_EXPIRED),
        (future, Failure.TLS_EXPIRED),
        (stranger, Failure.TLS_SELF_SIGNED),
    ):
        async with (
            listening(always(answer()), tls=presenting(certificate)) as outside,
            outside_fetcher(NAMES, tls=trusting) as fetcher,
        ):
            assert await failure(fetcher, outside.url(scheme="https")) is expected
        assert not outside.heads


async def test_a_server_that_does_not_speak_tls(trusting: ssl.SSLContext) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(5)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(5)
        writer.transport.abort()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    for serve, expected in (
        (babble, Failure.TLS_PROTOCOL),
        (leave, Failure.CONNECTION_RESET),
        (wait, Failure.TIMEOUT),
    ):
        async with (
            await asyncio.start_server(serve, PUBLIC, 0) as server,
            outside_fetcher(NAMES, tls=trusting, connect_seconds=0.3) as fetcher,
        ):
            port = server.sockets[0].getsockname()[1]
            assert await failure(fetcher, f"https://public.test:{port}/") is expected


async def test_https_may_lead_to_http_and_is_judged_again(authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    places = iter(["http://[::ffff:127.0.0.1]/", ""])

    def redirect(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(302, b"", Location=next(places) or plain.url("/end")))

    server = presenting(authority.issue_cert("public.test"))
    async with (
        listening(redirect, tls=server) as outside,
        listening(always(answer())) as plain,
        outside_fetcher(NAMES, tls=trusting) as fetcher,
    ):
        url = outside.url(scheme="https")
        assert await failure(fetcher, url) is Failure.BLOCKED_PRIVATE
        response = await fetcher.fetch(url, headers={"Authorization": "secret"})
        assert response.url == plain.url("/end")
    assert b"secret" not in plain.heads[0]

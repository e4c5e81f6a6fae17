"""httpx on top of the door, for libraries that bring their own client: the same gate, limits and connections.

httpx2 is httpx's successor; the `openai` client speaks it.
"""

from typing import Final

import httpx2

from kit.fetch.answers import Failure, FetchError, Response
from kit.fetch.fetcher import Fetcher
from kit.fetch.gate import Origin
from kit.urls import locate

MAX_ANSWER_BYTES: Final = 32_000_000
"""Longest answer of an AI server: 256 vectors of 3,072 numbers, printed in full, are some 16 MB."""

_DECODED: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})


class GatedTransport(httpx2.AsyncBaseTransport):
    """Sends each request through a fetcher.

    Answers come as a whole, decompressed; redirects are left to the client, each of whose requests passes the gate
    anew. `trusted` is an origin that may lie in a private network.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        *,
        timeout_seconds: float,
        max_bytes: int = MAX_ANSWER_BYTES,
        trusted: Origin | None = None,
    ) -> None:
        self._fetcher = fetcher
        self._timeout_seconds = timeout_seconds
        self._max_bytes = max_bytes
        self._trusted = trusted

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer a request. Raises `httpx2.TransportError`, caused by a `FetchError`."""
        headers = {name: value for name, value in request.headers.items() if name != "accept-encoding"}
        try:
            response = await self._fetcher.fetch(
                str(request.url),
                method=request.method,
                headers=headers,
                body=await request.aread() or None,
                max_bytes=self._max_bytes,
                max_redirects=0,
                deadline_seconds=self._timeout_seconds,
                silence_seconds=self._timeout_seconds,
                trusted=self._trusted,
            )
        except FetchError as error:
            if error.failure is Failure.TIMEOUT:
                raise httpx2.ReadTimeout(error.message, request=request) from error
            raise httpx2.ConnectError(error.message, request=request) from error
        if response.is_truncated:
            raise httpx2.ReadError(f"The answer is longer than {self._max_bytes} bytes.", request=request)
        return httpx2.Response(
            response.status, headers=_headers(response), content=response.body, request=request, extensions={}
        )


def _headers(response: Response) -> list[tuple[str, str]]:
    """Return the headers that are still true of a decompressed body."""
    names = [name for name in response.headers if name not in _DECODED]
    return [(name, value) for name in names for value in response.headers.all(name)]


def gated_client(
    fetcher: Fetcher, *, timeout_seconds: float, max_bytes: int = MAX_ANSWER_BYTES, trusted_url: str | None = None
) -> httpx2.AsyncClient:
    """Return a client whose every request passes the gate of `fetcher`, which must outlive it.

    `trusted_url` is an address from the operator's settings, never from a user: its origin (scheme, host and port) may
    lie in a private network or on this machine. Raises `kit.urls.RefusedUrl` when it is no web address. Redirects are
    not followed; `timeout_seconds` limits a whole request.
    """
    trusted = locate(trusted_url).origin if trusted_url is not None else None
    transport = GatedTransport(fetcher, timeout_seconds=timeout_seconds, max_bytes=max_bytes, trusted=trusted)
    return httpx2.AsyncClient(transport=transport, timeout=timeout_seconds, trust_env=False, follow_redirects=False)

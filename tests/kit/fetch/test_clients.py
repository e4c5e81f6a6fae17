"""Libraries with a client of their own pass the same gate."""

import json

import httpx2
import pytest
from openai import APIConnectionError, AsyncOpenAI

from kit.fetch import Failure, Fetcher, FetchError, gated_client
from kit.urls import RefusedUrl
from tests.kit.fetch.outside import Names, always, answer, listening, outside_fetcher
from tests.kit.fetch.test_answers import gzipped

MODELS = json.dumps(
    {"object": "list", "data": [{"id": "m", "object": "model", "created": 0, "owned_by": "x"}]}
).encode()


async def test_requests_take_the_way_of_the_fetcher() -> None:
    packed = answer(201, gzipped(b'{"a": 1}'), Content_Encoding="gzip", X_More="1", Content_Type="application/json")
    async with (
        listening(always(packed)) as outside,
        outside_fetcher() as fetcher,
        gated_client(fetcher, timeout_seconds=5) as client,
    ):
        response = await client.post(outside.url("/v1?q=1"), json={"b": 2}, headers={"Authorization": "Bearer key"})
        assert (response.status_code, response.json(), response.headers["x-more"]) == (201, {"a": 1}, "1")
        assert "content-encoding" not in response.headers
        await client.get(outside.url())
    assert outside.connections == 1
    first = outside.heads[0].decode()
    assert first.startswith("POST /v1?q=1 HTTP/1.1\r\nHost: public.test:")
    assert first.lower().count("\r\nhost:") == 1
    assert first.lower().count("\r\naccept-encoding: gzip, deflate\r\n") == 1
    assert "\r\nauthorization: Bearer key\r\n" in first
    assert json.loads(outside.bodies[0]) == {"b": 2}


async def test_what_a_user_gives_is_judged_and_what_the_operator_named_is_not() -> None:
    async with (
        listening(always(answer(body=MODELS, Content_Type="application/json")), host="127.0.0.1") as outside,
        Fetcher(user_agent="t", resolver=Names()) as fetcher,
    ):
        base = outside.url("/v1", host="127.0.0.1")
        async with gated_client(fetcher, timeout_seconds=5, trusted_url=base) as client:
            trusting = AsyncOpenAI(api_key="k", base_url=base, http_client=client)
            assert [model.id async for model in trusting.models.list()] == ["m"]
            with pytest.raises(httpx2.ConnectError):
                await client.get("http://127.0.0.1:1/")
        async with gated_client(fetcher, timeout_seconds=5) as client:
            judging = AsyncOpenAI(api_key="k", base_url=base, http_client=client, max_retries=0)
            with pytest.raises(APIConnectionError) as refused:
                await judging.models.list()
    cause = refused.value.__cause__
    assert isinstance(cause, httpx2.ConnectError)
    assert isinstance(cause.__cause__, FetchError)
    assert cause.__cause__.failure is Failure.BLOCKED_PRIVATE
    assert outside.connections == 1


async def test_redirects_are_not_followed_and_limits_hold() -> None:
    async with (
        listening(always(answer(302, b"x" * 100, Location="http://10.0.0.1/"))) as outside,
        outside_fetcher() as fetcher,
    ):
        async with gated_client(fetcher, timeout_seconds=5) as client:
            response = await client.get(outside.url())
            assert (response.status_code, response.headers["location"]) == (302, "http://10.0.0.1/")
            with pytest.raises(httpx2.ConnectError, match="private network"):
                await client.get(outside.url(), follow_redirects=True)
        async with gated_client(fetcher, timeout_seconds=5, max_bytes=99) as client:
            with pytest.raises(httpx2.ReadError, match="longer than 99 bytes"):
                await client.get(outside.url())
    async with (
        listening(lambda _head, _writer: None) as silent,
        outside_fetcher() as fetcher,
        gated_client(fetcher, timeout_seconds=0.05) as client,
    ):
        with pytest.raises(httpx2.ReadTimeout):
            await client.get(silent.url())


async def test_only_a_web_address_can_be_trusted() -> None:
    async with outside_fetcher() as fetcher:
        with pytest.raises(RefusedUrl):
            gated_client(fetcher, timeout_seconds=5, trusted_url="localhost:11434")

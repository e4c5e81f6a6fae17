"""The stub itself: HTTP on loopback, one answer at a time per connection, everything written down."""

import asyncio
import contextlib
from collections import deque
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

import orjson

from tests.fakes.openai.answers import count, reply, vector

KEY = "sk-stub-0123456789"
CALL_HEADER = "x-client-request-id"


class Fault(StrEnum):
    """What the stub does instead of answering well."""

    BUSY = "BUSY"  # 429, Retry-After: 1
    BUSY_LONG = "BUSY_LONG"  # 429, Retry-After: 3600
    QUOTA = "QUOTA"  # 429 as OpenAI says that the money is gone
    FAILS = "FAILS"
    HANGS = "HANGS"
    DROPS = "DROPS"
    REFUSES_KEY = "REFUSES_KEY"
    REFUSES_REQUEST = "REFUSES_REQUEST"
    NOT_JSON = "NOT_JSON"  # the body of the server is no JSON
    NOT_JSON_INSIDE = "NOT_JSON_INSIDE"  # what the model says is no JSON
    WRAPPED = "WRAPPED"  # good JSON in a fence of Markdown: not a failure
    WRONG_SCHEMA = "WRONG_SCHEMA"
    WRONG_DIMENSION = "WRONG_DIMENSION"
    NOT_FINITE = "NOT_FINITE"
    NO_DIMENSIONS = "NO_DIMENSIONS"  # 400 for the argument `dimensions`, as some models do
    TRUNCATED = "TRUNCATED"
    REFUSES = "REFUSES"  # the model will not
    OBEYS = "OBEYS"  # the model does what the page tells it to


NO_ANSWER = {
    Fault.BUSY: (429, {"Retry-After": "1"}, "rate_limit_exceeded"),
    Fault.BUSY_LONG: (429, {"Retry-After": "3600"}, "rate_limit_exceeded"),
    Fault.QUOTA: (429, {}, "insufficient_quota"),
    Fault.FAILS: (500, {}, "server_error"),
    Fault.REFUSES_KEY: (401, {}, "invalid_api_key"),
    Fault.REFUSES_REQUEST: (400, {}, "invalid_request"),
}


@dataclass(frozen=True, slots=True)
class Call:
    """A request that arrived: `call_id` is the header of the ledger; tokens are what the stub bills for its answer."""

    path: str
    call_id: str | None
    status: int
    fault: str | None
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass
class Models:
    """`async with Models() as models:` runs one. `script` is used up call by call; `always` is for the rest."""

    script: deque[Fault | None] = field(default_factory=deque)
    always: Fault | None = None
    every: int = 0  # each so many calls one of `faults` in turn
    faults: tuple[Fault, ...] = (Fault.FAILS, Fault.NOT_JSON, Fault.WRONG_SCHEMA, Fault.DROPS)
    calls: list[Call] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0
    _server: asyncio.Server | None = None
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    @property
    def base_url(self) -> str:
        """What OPENAI_BASE_URL is set to."""
        return f"http://127.0.0.1:{self.port}/v1"

    def billed(self) -> dict[str | None, tuple[int, int]]:
        """Return input and output tokens by the header of the ledger."""
        found: dict[str | None, tuple[int, int]] = {}
        for call in self.calls:
            before = found.get(call.call_id, (0, 0))
            found[call.call_id] = (before[0] + call.prompt_tokens, before[1] + call.completion_tokens)
        return found

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._running.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        method, path, _ = first.split(" ")
        extra: dict[str, str] = {}
        if path.startswith("/control/"):
            status, sent = 200, self._control(path.removeprefix("/control/"), body)
        elif method != "POST" or path not in {"/v1/chat/completions", "/v1/embeddings"}:
            status, sent = 404, error("not_found")
        elif headers.get("authorization") != f"Bearer {KEY}":
            status, sent = 401, error("invalid_api_key")
        else:
            fault = self._fault()
            if fault is Fault.HANGS:
                self._note(path, headers, 0, fault)
                await reader.read()  # until the other side has had enough
                return False
            if fault is Fault.DROPS:
                self._note(path, headers, 0, fault)
                return False
            status, extra, sent = self._answer(path, headers, orjson.loads(body), fault)
        told = "".join(f"{name}: {value}\r\n" for name, value in extra.items())
        kind = "text/html" if sent.startswith(b"<") else "application/json"
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(sent)}\r\n{told}\r\n".encode() + sent
        )
        await writer.drain()
        return True

    def _fault(self) -> Fault | None:
        if self.script:
            return self.script.popleft()
        if self.every and (len(self.calls) + 1) % self.every == 0:
            return self.faults[(len(self.calls) + 1) // self.every % len(self.faults)]
        return self.always

    def _note(
        self, path: str, headers: dict[str, str], status: int, fault: Fault | None, tokens: tuple[int, int] = (0, 0)
    ) -> None:
        self.calls.append(Call(path, headers.get(CALL_HEADER), status, fault and fault.value, *tokens))

    def _answer(
        self, path: str, headers: dict[str, str], asked: dict[str, Any], fault: Fault | None
    ) -> tuple[int, dict[str, str], bytes]:
        self.asked.append(asked)
        wrong = misuse(path, asked)
        if wrong is None and fault is Fault.NO_DIMENSIONS and "dimensions" in asked:
            wrong = "This model does not support specifying dimensions."
        if wrong is not None or fault in NO_ANSWER:
            status, extra, code = (
                NO_ANSWER.get(fault or Fault.FAILS, (400, {}, "")) if wrong is None else (400, {}, wrong)
            )
            self._note(path, headers, status, fault)
            return status, extra, error(code)
        sent, tokens = (embeddings if path == "/v1/embeddings" else chat)(asked, fault)
        self._note(path, headers, 200, fault, tokens)
        return 200, {}, b"<html>Bad gateway</html>" if fault is Fault.NOT_JSON else sent

    def _control(self, order: str, body: bytes) -> bytes:
        """Obey the test that runs this in another process."""
        if order == "script":
            told = orjson.loads(body)
            self.script.extend(None if one is None else Fault(one) for one in told.get("script", ()))
            self.always = Fault(told["always"]) if told.get("always") else None
            self.every = told.get("every", 0)
        elif order == "forget":
            self.calls.clear()
            self.asked.clear()
        return orjson.dumps([asdict(call) for call in self.calls])


def error(code: str) -> bytes:
    """Return an error as OpenAI words it. It repeats the key, as careless servers do."""
    return orjson.dumps({"error": {"message": f"{code} for {KEY}", "type": code, "param": None, "code": code}})


def misuse(path: str, asked: dict[str, Any]) -> str | None:
    """Tell what a strict server would refuse."""
    if path == "/v1/embeddings":
        is_fine = asked.get("encoding_format") == "float" and all(text.strip() for text in asked["input"])
        return None if is_fine else "invalid_input"
    form = asked.get("response_format", {})
    schema = form.get("json_schema", {})
    is_strict = schema.get("strict") is True and schema.get("schema", {}).get("additionalProperties") is False
    return None if form.get("type") == "json_schema" and is_strict else "invalid_schema"


def embeddings(asked: dict[str, Any], fault: Fault | None) -> tuple[bytes, tuple[int, int]]:
    """Embed by hashing, last text first: the index says where each belongs."""
    dimensions = asked.get("dimensions", 32) + (1 if fault is Fault.WRONG_DIMENSION else 0)
    rows = [
        {"object": "embedding", "index": index, "embedding": vector(text, dimensions)}
        for index, text in enumerate(asked["input"])
    ]
    if fault is Fault.WRONG_SCHEMA:
        rows.pop()
    tokens = sum(map(count, asked["input"]))
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    sent = orjson.dumps({"object": "list", "data": rows[::-1], "model": asked["model"], "usage": usage})
    return sent.replace(b"[", b"[1e999,", 2).replace(b"[1e999,", b"[", 1) if fault is Fault.NOT_FINITE else sent, (
        tokens,
        0,
    )


def chat(asked: dict[str, Any], fault: Fault | None) -> tuple[bytes, tuple[int, int]]:
    """Answer a question about a page."""
    properties = set(asked["response_format"]["json_schema"]["schema"]["properties"])
    said = orjson.dumps(reply(asked["messages"], properties, obeys=fault is Fault.OBEYS)).decode()
    if fault is Fault.WRAPPED:
        said = f"Here it is:\n```json\n{said}\n```"
    said = {Fault.NOT_JSON_INSIDE: "I would rather not say.", Fault.WRONG_SCHEMA: '{"answer": 42}'}.get(
        fault or Fault.BUSY, said
    )
    if fault is Fault.TRUNCATED:
        said = said[: len(said) // 2]
    message = {"role": "assistant", "content": None if fault is Fault.REFUSES else said}
    if fault is Fault.REFUSES:
        message["refusal"] = "I cannot help with that."
    tokens = sum(count(str(message["content"])) for message in asked["messages"]), count(said)
    choice = {"index": 0, "message": message, "finish_reason": "length" if fault is Fault.TRUNCATED else "stop"}
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
    told = {"id": "chatcmpl-stub", "object": "chat.completion", "created": 1, "model": asked["model"]}
    return orjson.dumps({**told, "choices": [choice], "usage": usage}), tokens

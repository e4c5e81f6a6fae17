"""HTTP/1.1 as bytes: writing a request, reading its answer. Nothing here waits or knows of sockets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from httptools import HttpParserError, HttpResponseParser

from kit.fetch.decoding import CorruptError, Decoder, decoder

MAX_HEAD_BYTES: Final = 65_536
"""Most bytes of an answer that are not body: status line, headers, trailers (chunk lines come on top)."""
MAX_HEADERS: Final = 256
MAX_INTERIM_ANSWERS: Final = 8
"""Most 1xx answers before the real one."""
_CHUNK_OVERHEAD: Final = 16
"""Bytes of framing that a byte of body may cost: one-byte chunks are legal, chunk extensions without end are not."""
_MOST_PER_BYTE: Final = 2
"""Bytes of a compressed body that a decoded one may cost: what takes more is made to last, not to be read."""
_FIRST_FINAL: Final = 200
_SWITCHING: Final = 101
_FRAMING: Final = frozenset(
    {
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "proxy-connection",
        "proxy-authorization",
    }
)
"""Request headers that are ours alone: with them a caller could say one thing and send another."""
_TOKEN: Final = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_CONTROLS: Final = {code: " " for code in (*range(0x20), 0x7F) if code != ord("\t")}


class MalformedError(Exception):
    """What came is no HTTP answer, or one beyond the limits."""


@dataclass(slots=True)
class Answer:
    """An answer as it came: `headers` in their order, `body` decoded and cut at the limit."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    is_truncated: bool


def encode_request(method: str, target: str, authority: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """Return a request as bytes. `method`, `target` and `authority` are known to be plain ASCII.

    Raises `ValueError` for a header that would not stay one line. Those that frame the message are left out.
    """
    lines = [f"{method} {target} HTTP/1.1\r\nHost: {authority}"]
    for name, value in headers.items():
        if name.lower() in _FRAMING:
            continue
        if not name or not _TOKEN.issuperset(name) or "\r" in value or "\n" in value or "\0" in value:
            raise ValueError("a request header has characters that headers cannot have")
        lines.append(f"{name}: {value}")
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode()
    return head + body if body else head


class AnswerReader:
    """Reads the answer to one request as its bytes come.

    `max_bytes` limits the decoded body: the answer is complete as soon as there is more. `can_go_on` says of a complete
    answer whether the connection may carry another request.
    """

    def __init__(self, *, is_head: bool, max_bytes: int) -> None:
        self.is_complete = False
        self.can_go_on = False
        self.has_begun = False
        self._is_head = is_head
        self._room = max_bytes
        self._max_bytes = max_bytes
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        self._status = 0
        self._headers: list[tuple[str, str]] = []
        self._has_head = False
        self._keeps_alive = False
        self._interim = 0
        self._wire_bytes = 0
        self._body_wire_bytes = 0
        self._body: list[bytes] = []
        self._decoder: Decoder | None = None
        self._is_truncated = False

    def feed(self, data: bytes) -> bool:
        """Take bytes as they came and tell whether the answer is complete. Raises `MalformedError`."""
        self.has_begun = True
        self._wire_bytes += len(data)
        if self._parser is None:
            raise MalformedError
        try:
            self._parser.feed_data(data)
        except HttpParserError:  # with what the callbacks raise
            if not self.is_complete:
                raise MalformedError from None
            self.can_go_on = False  # something stood behind the answer
        if self.is_complete:
            self._parser = None
            return True
        if self._wire_bytes - self._body_wire_bytes > MAX_HEAD_BYTES + _CHUNK_OVERHEAD * self._body_wire_bytes:
            raise MalformedError
        return False

    def end(self) -> bool:
        """Take the end of the connection and tell whether that completes the answer: some have no other end."""
        self._parser = None
        if self._has_head and not self.is_complete:
            self.is_complete = not any(name in {"content-length", "transfer-encoding"} for name, _ in self._headers)
        self.can_go_on = False
        return self.is_complete

    def answer(self) -> Answer:
        """Return the complete answer."""
        return Answer(self._status, self._headers, b"".join(self._body), self._is_truncated)

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Notice a second answer behind the first: it belongs to no request."""
        if self.is_complete:
            self.can_go_on = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; trailers count and are dropped."""
        if self._has_head:
            return
        if len(self._headers) >= MAX_HEADERS:
            raise MalformedError
        self._headers.append((name.decode("latin-1").lower(), _text(value)))

    def on_headers_complete(self) -> None:
        """Decide how the body is read."""
        assert self._parser is not None  # noqa: S101  it is the caller
        if self.is_complete:
            return
        status = self._parser.get_status_code()
        if status < _FIRST_FINAL:
            self._interim += 1
            if status == _SWITCHING or self._interim > MAX_INTERIM_ANSWERS:
                raise MalformedError
            return
        self._status = status
        self._has_head = True
        self._keeps_alive = self._parser.should_keep_alive()
        if self._is_head:
            self._complete()
            return
        encodings = [value for name, value in self._headers if name == "content-encoding"]
        if len(encodings) == 1:
            self._decoder = decoder(encodings[0])

    def on_body(self, data: bytes) -> None:
        """Keep what there is room for."""
        self._body_wire_bytes += len(data)
        if self.is_complete:
            self.can_go_on = False
            return
        if self._decoder is not None:
            try:
                data = self._decoder.decode(data, self._room + 1)
            except CorruptError:
                raise MalformedError from None
        if len(data) > self._room:
            self._body.append(data[: self._room])
            self._is_truncated = True
            self._complete()
            self.can_go_on = False
        elif self._decoder and self._body_wire_bytes > MAX_HEAD_BYTES + _MOST_PER_BYTE * self._max_bytes:
            raise MalformedError
        else:
            self._room -= len(data)
            self._body.append(data)

    def on_message_complete(self) -> None:
        """End the answer, or only an interim one."""
        if self._has_head:
            if not self.is_complete:
                self._complete()
        else:
            self._headers.clear()

    def _complete(self) -> None:
        self.is_complete = True
        self.can_go_on = self._keeps_alive


def _text(value: bytes) -> str:
    """Return a header's value as text: what is no UTF-8 is Latin-1, and a control character is a space."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    return text if text.isprintable() else text.translate(_CONTROLS)

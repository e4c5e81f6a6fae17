"""One operation with one file, by the GraphQL multipart request specification, streamed to disk.

The parts come in the specification's order: `operations`, then `map`, then the file. Nothing of the file is ever held
in memory beyond a mebibyte, and nothing of it stays on disk unless a resolver keeps it.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from app import metrics
from app.graphql.bodies import Body
from app.graphql.engine import Operation
from app.graphql.requests import Refusal, bad_request, operation_in, parse_json
from kit.settings import Settings
from kit.uploads import IncomingFile, UploadTooLarge

MAX_MAP_BYTES = 4_096
MAX_PART_HEADER_BYTES = 4_096
MAX_BOUNDARY_CHARS = 70  # RFC 2046 §5.1.1
_FORM_OVERHEAD_BYTES = 16_384
OPERATIONS, MAP = "operations", "map"
INCOMING_FOLDER = "incoming"


@asynccontextmanager
async def received_form(body: Body, boundary: str, settings: Settings) -> AsyncIterator[Operation]:
    """Receive the form and give its operation, with a `kit.uploads.UploadedFile` where the file belongs.

    Raises `Refusal`: 400 for a form that is not as the specification says or that ends too early, 413 as soon as the
    file is larger than `max_upload_bytes` or `operations` than `max_request_bytes`.
    """
    if not 0 < len(boundary) <= MAX_BOUNDARY_CHARS:
        raise bad_request("The Content-Type header has no usable boundary.")
    body.check_length(max_bytes=settings.max_upload_bytes + settings.max_request_bytes + _FORM_OVERHEAD_BYTES)
    async with AsyncExitStack() as stack:
        form = _Form(settings)
        parser = MultipartParser(boundary, form.callbacks())
        try:
            async for chunk in body.chunks():
                # Callbacks run inside `write`; a file is opened and flushed between two writes.
                parser.write(chunk)
                if form.file is None and form.file_name is not None:
                    form.file = await stack.enter_async_context(form.open_file())
                if form.file is not None:
                    form.hand_over()
                    await form.file.flush()
            parser.finalize()
        except FormParserError as error:
            raise bad_request(f"The form cannot be read: {error}.") from None
        except UploadTooLarge as error:
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error.message) from None
        yield await form.operation()


class _Form:
    """What has been read of the form so far."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._part = ""
        self._texts: dict[str, bytearray] = {OPERATIONS: bytearray(), MAP: bytearray()}
        self._seen: list[str] = []
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._disposition: bytes | None = None
        self._early = bytearray()
        self._is_ended = False
        self.file: IncomingFile | None = None
        self.file_name: str | None = None

    def callbacks(self) -> Any:
        """Return what python-multipart calls while it parses."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header(self._header_name, data[start:end]),
            "on_header_value": lambda data, start, end: self._header(self._header_value, data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": lambda data, start, end: self._data(data[start:end]),
            "on_end": self._end,
        }

    def open_file(self) -> IncomingFile:
        """Return the file to write to, not yet open."""
        folder = self._settings.upload_dir / INCOMING_FOLDER
        return IncomingFile(folder, self.file_name or "", max_bytes=self._settings.max_upload_bytes)

    def hand_over(self) -> None:
        """Give the file what came before it was open."""
        if self.file is not None and self._early:
            early, self._early = bytes(self._early), bytearray()
            self.file.add(early)

    async def operation(self) -> Operation:
        """Return the operation once everything has been read."""
        if not self._is_ended:
            raise bad_request("The form ends before its closing boundary: the upload was cut off.")
        if self.file is None:
            raise bad_request("The form has no file; send operations without one as JSON.")
        operation = operation_in(parse_json(bytes(self._texts[OPERATIONS]), "`operations`"))
        places = parse_json(bytes(self._texts[MAP]), "`map`")
        uploaded = await self.file.finish()
        metrics.UPLOADED.inc(uploaded.size_bytes)
        return _with_file(operation, _place_of(places, self._seen[-1]), uploaded)

    def _begin(self) -> None:
        self._part, self._disposition = "", None

    def _header(self, buffer: bytearray, data: bytes) -> None:
        buffer += data
        if len(buffer) > MAX_PART_HEADER_BYTES:
            raise bad_request("A part's header is too long.")

    def _end_header(self) -> None:
        if bytes(self._header_name).lower() == b"content-disposition":
            self._disposition = bytes(self._header_value)
        self._header_name, self._header_value = bytearray(), bytearray()

    def _end_headers(self) -> None:
        kind, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if kind != b"form-data" or not name:
            raise bad_request("Each part needs a Content-Disposition of `form-data` with a name.")
        expected = (OPERATIONS, MAP)[len(self._seen)] if len(self._seen) < 2 else None  # noqa: PLR2004  both texts
        if expected is not None and name != expected:
            raise bad_request("The parts must come in this order: `operations`, `map`, then the file.")
        if expected is None and (self.file_name is not None or name in self._texts):
            raise bad_request("Exactly one file may be sent with an operation.")
        if expected is None:
            self.file_name = options.get(b"filename", b"").decode("utf-8", "replace")
        self._seen.append(name)
        self._part = name

    def _data(self, data: bytes) -> None:
        text = self._texts.get(self._part)
        if text is None:
            if self.file is not None:
                self.file.add(data)
            else:
                self._early += data
            return
        limit = self._settings.max_request_bytes if self._part == OPERATIONS else MAX_MAP_BYTES
        if len(text) + len(data) > limit:
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"`{self._part}` is larger than {limit:,} bytes.")
        text += data

    def _end(self) -> None:
        self._is_ended = True


def _place_of(places: Any, part: str) -> str:
    """Return the one path that `map` gives for the one file."""
    if not isinstance(places, dict) or list(places) != [part]:
        raise bad_request("`map` must name exactly the file that is sent.")
    paths = places[part]
    if not isinstance(paths, list) or len(paths) != 1 or not isinstance(paths[0], str):
        raise bad_request("`map` must give the file exactly one place, for example [“variables.input.file”].")
    return paths[0]


def _with_file(operation: Operation, path: str, uploaded: Any) -> Operation:
    """Return the operation with `uploaded` at `path`, where the variables must hold null."""
    root, *steps = path.split(".")
    place: Any = operation.variables
    wrong = bad_request(f"`map` points at “{path[:200]}”, which is not a null in the variables.")
    if root != "variables" or not steps:
        raise wrong
    for step in steps[:-1]:
        place = _inside(place, step, wrong)
    last: Any = steps[-1]
    if isinstance(place, list) and last.isdecimal():
        last = int(last)
        is_null = last < len(place) and place[last] is None
    else:
        is_null = isinstance(place, dict) and last in place and place[last] is None
    if not is_null:
        raise wrong
    place[last] = uploaded
    return replace(operation)


def _inside(place: Any, step: str, wrong: Refusal) -> Any:
    if isinstance(place, dict) and step in place:
        return place[step]
    if isinstance(place, list) and step.isdecimal() and int(step) < len(place):
        return place[int(step)]
    raise wrong

"""Media types: what the caller accepts, and what it says that it sends (GraphQL over HTTP; RFC 9110 §12.5.1)."""

from dataclasses import dataclass
from functools import lru_cache

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"
EVENT_STREAM = "text/event-stream"
HTML = "text/html"
MULTIPART_FORM = "multipart/form-data"
ANYTHING = "*/*"
_SUPPORTED = (GRAPHQL_RESPONSE, JSON, EVENT_STREAM, HTML)
_MAX_HEADER_CHARS = 2_000
_CACHED_HEADERS = 256


@dataclass(frozen=True, slots=True)
class Accepted:
    """What an Accept header amounts to.

    `best` is the preferred of the types that this endpoint can give, None when there is none.
    `answer` is the better of the two GraphQL types for an error that has to be JSON in any case.
    `takes_json` is false when neither of those two would be taken.
    `is_explicit` is true when `best` was named, not matched by a wildcard or assumed.
    """

    best: str | None
    answer: str
    takes_json: bool
    is_explicit: bool


@dataclass(frozen=True, slots=True)
class ContentType:
    """A Content-Type header, taken apart. Names are in lower case; `kind` is empty when there was none."""

    kind: str
    parameters: dict[str, str]

    @property
    def is_utf8(self) -> bool:
        """Whether the body is UTF-8, which JSON is when nothing is said."""
        return self.parameters.get("charset", "utf-8").lower() in {"utf-8", "utf8"}


@lru_cache(_CACHED_HEADERS)
def accepted(header: str | None) -> Accepted:
    """Judge an Accept header. A missing one means that anything goes, and the older JSON type is the safe answer."""
    if header is None or not header.strip():
        return Accepted(JSON, JSON, takes_json=True, is_explicit=False)
    ranges = [_range(part) for part in header[:_MAX_HEADER_CHARS].split(",")]
    qualities = {kind: _quality(kind, ranges) for kind in _SUPPORTED}
    # Among equals the more specific match wins, then the order above; a wildcard gets the type every client knows.
    candidates = [
        (quality, specificity, -index, kind)
        for index, (kind, (quality, specificity)) in enumerate(qualities.items())
        if quality > 0 and not (kind in {EVENT_STREAM, HTML, GRAPHQL_RESPONSE} and specificity < _NAMED)
    ]
    best = max(candidates, default=None)
    graphql, json = qualities[GRAPHQL_RESPONSE], qualities[JSON]
    answer = GRAPHQL_RESPONSE if graphql[1] == _NAMED and graphql[0] > 0 and graphql[0] >= json[0] else JSON
    takes_json = graphql[0] > 0 or json[0] > 0
    if best is None:
        return Accepted(None, answer, takes_json=takes_json, is_explicit=False)
    return Accepted(best[3], answer, takes_json=takes_json, is_explicit=best[1] == _NAMED)


@lru_cache(_CACHED_HEADERS)
def content_type(header: str) -> ContentType:
    """Take a Content-Type header apart."""
    kind, *rest = header[:_MAX_HEADER_CHARS].split(";")
    parameters: dict[str, str] = {}
    for part in rest:
        name, separator, value = part.partition("=")
        if separator:
            parameters[name.strip().lower()] = value.strip().strip('"')
    return ContentType(kind.strip().lower(), parameters)


_NAMED = 3
_NOTHING = -1


def _range(part: str) -> tuple[str, float, bool]:
    """Return the media range, its quality, and whether its parameters leave UTF-8 possible."""
    kind, *parameters = (piece.strip() for piece in part.lower().split(";"))
    quality, is_possible = 1.0, True
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                given = float(value)
            except ValueError:
                given = 0.0
            quality = min(given, 1.0) if given >= 0 else 0.0  # also false for NaN
        elif name.strip() == "charset":
            is_possible = value.strip().strip('"') in {"utf-8", "utf8"}
    return kind, quality, is_possible


def _quality(kind: str, ranges: list[tuple[str, float, bool]]) -> tuple[float, int]:
    """Return the quality of `kind` and how exactly the deciding range names it (RFC 9110: the most exact decides)."""
    best = (0.0, _NOTHING)
    wildcard = kind.partition("/")[0] + "/*"
    for name, quality, is_possible in ranges:
        specificity = _NAMED if name == kind else 1 if name == wildcard else 0 if name == ANYTHING else _NOTHING
        if specificity > best[1] and is_possible:
            best = (quality, specificity)
    return best

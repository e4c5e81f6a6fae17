"""What Prometheus may know: counts and durations with bounded labels, never a name or a text that a client chose."""

from functools import cache

from prometheus_client import Counter, Gauge, Histogram

OPERATIONS = Counter(
    "graphmark_graphql_operations",
    "GraphQL operations by type (query, mutation, subscription, refused) and outcome (ok or an error code).",
    ["type", "outcome"],
)
SECONDS = Histogram(
    "graphmark_graphql_seconds",
    "How long queries and mutations ran, in seconds.",
    ["type"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
RESPONSES = Counter("graphmark_http_responses", "Responses of /graphql by status code.", ["status"])
SOCKETS = Gauge("graphmark_websockets", "Open WebSockets.")
STREAMS = Gauge("graphmark_event_streams", "Open server-sent event streams.")
SUBSCRIPTIONS = Gauge("graphmark_subscriptions", "Operations running on WebSockets and event streams.")
CLOSED = Counter("graphmark_websocket_closes", "WebSockets closed by the server, by close code.", ["code"])
UPLOADED = Counter("graphmark_uploaded_bytes", "Bytes of files that arrived completely.")


def operation_done(kind: str, outcome: str, seconds: float | None) -> None:
    """Count one finished operation; `seconds` is None where a duration says nothing (subscriptions, refusals)."""
    _operations(kind, outcome).inc()
    if seconds is not None:
        _seconds(kind).observe(seconds)


def response_sent(status: int) -> None:
    """Count one response of `/graphql`."""
    _responses(int(status)).inc()


# Looking a label up takes longer than counting; there are few, see the descriptions above.
_operations = cache(OPERATIONS.labels)
_seconds = cache(SECONDS.labels)
_responses = cache(RESPONSES.labels)

"""What Prometheus may know: counts and durations with bounded labels, never a name or a text that a client chose."""

from functools import cache
from ipaddress import IPv6Address, ip_address
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import PermissionDeniedException
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

from app.graphql.callers import Headers, network_address
from kit.settings import Settings
from resolvers.context import Services

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


@get("/metrics", include_in_schema=False, sync_to_thread=False)
def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
    """All metrics of this process in Prometheus' text format, for `GRAPHMARK_METRICS_NETWORKS` only."""
    services: Services = request.app.state.services
    if not _may_read(request.scope, services.settings):
        raise PermissionDeniedException("Metrics are for GRAPHMARK_METRICS_NETWORKS only.")
    return Response(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})


def _may_read(scope: Any, settings: Settings) -> bool:
    """Tell whether the other end is in a network that may read metrics.

    A proxy on this machine connects from it whoever asks. So what was passed on counts as coming from where the proxy
    says, if we trust it, and else from nowhere.
    """
    headers, client = Headers(scope), scope.get("client")
    address = network_address(scope, headers, settings)
    is_passed_on = any(headers.get(name) is not None for name in ("x-forwarded-for", "forwarded"))
    if is_passed_on and client and address == client[0]:
        return False
    try:
        asking = ip_address(address)
    except ValueError:
        return False
    if isinstance(asking, IPv6Address) and asking.ipv4_mapped is not None:
        asking = asking.ipv4_mapped
    return any(asking in network for network in settings.metrics_networks)

"""`/metrics`: what app.metrics counts, for the networks that may read it."""

from ipaddress import IPv6Address, ip_address
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import PermissionDeniedException
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from app.graphql.callers import Headers, network_address
from kit.settings import Settings
from resolvers.context import Services


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

"""What this server is and can do, for whoever asks."""

from dataclasses import dataclass
from functools import cache

from kit.ai import detail_of, is_outside
from kit.browser import OFF, find_chromium
from kit.paging import MAX_PAGE
from kit.product import product_version
from kit.settings import Registration, Settings
from resolvers.context import Info
from resolvers.inputs.server import SignInKind

OIDC_PATH = "/sign-in/oidc"
PROXY_PATH = "/sign-in/proxy"


@dataclass(frozen=True, slots=True)
class Capability:
    """Something that may be switched off or missing on this server, and why it is."""

    name: str
    is_available: bool
    detail: str


@dataclass(frozen=True, slots=True)
class SignInView:
    """A way to sign in; `path` is where a browser is sent, None where a mutation does it."""

    kind: SignInKind
    name: str
    path: str | None


@dataclass(frozen=True, slots=True)
class LimitsView:
    """The limits that a client should know before it asks."""

    max_page_size: int
    max_query_depth: int
    max_query_aliases: int
    max_query_cost: int
    max_upload_bytes: int
    max_bookmarks: int
    max_subscriptions_per_connection: int


@dataclass(frozen=True, slots=True)
class ServerView:
    """The answer to `serverInfo`."""

    version: str
    registration: Registration
    sign_in_methods: list[SignInView]
    capabilities: list[Capability]
    limits: LimitsView


async def server_info(info: Info) -> ServerView:
    """Answer from the settings; the same for everybody."""
    settings = info.context.settings
    has_redis = settings.redis_url is not None
    return ServerView(
        version=product_version(),
        registration=settings.registration,
        sign_in_methods=_sign_in_methods(settings),
        capabilities=[
            Capability("full_text_search", is_available=True, detail="PostgreSQL's own."),
            Capability("vector_search", is_available=True, detail=info.context.services.meaning.detail),
            Capability("ai", is_outside(settings), detail_of(settings)),
            _browser(settings.chromium),
            _workflows(settings),
            _mail(settings),
            Capability(
                "redis", has_redis, "Rings the workers." if has_redis else "Not set; PostgreSQL rings the workers."
            ),
        ],
        limits=LimitsView(
            max_page_size=MAX_PAGE,
            max_query_depth=settings.max_query_depth,
            max_query_aliases=settings.max_query_aliases,
            max_query_cost=settings.max_query_cost,
            max_upload_bytes=settings.max_upload_bytes,
            max_bookmarks=settings.max_bookmarks_per_user,
            max_subscriptions_per_connection=settings.max_subscriptions_per_websocket,
        ),
    )


def _sign_in_methods(settings: Settings) -> list[SignInView]:
    methods = [SignInView(SignInKind.PASSWORD, "Password", None)] if settings.password_login else []
    if settings.oidc_issuer is not None and settings.oidc_client_id is not None:
        methods.append(SignInView(SignInKind.OIDC, settings.oidc_name, OIDC_PATH))
    if settings.proxy_auth_header is not None:
        methods.append(SignInView(SignInKind.PROXY, "Proxy", PROXY_PATH))
    return methods


def _workflows(settings: Settings) -> Capability:
    """Say what agents do without being asked."""
    after_import, on_new = settings.import_workflow.value, settings.new_bookmark_workflow.value
    detail = f"After an import: {after_import}. On a new bookmark: {on_new}."
    return Capability("workflows", is_available=True, detail=detail)


def _mail(settings: Settings) -> Capability:
    """Say whether messages reach people, or only the operator's data folder."""
    has_server = settings.smtp_host is not None
    detail = "Sent by the operator's mail server." if has_server else "No mail server is set; the operator has them."
    return Capability("mail", has_server, detail)


@cache
def _browser(setting: str | None) -> Capability:
    """Say whether this machine has a browser; looked for once."""
    name = "browser"
    if setting == OFF:
        return Capability(name, is_available=False, detail="Switched off; pages that are only a script stay unread.")
    if find_chromium(setting) is None:
        return Capability(
            name, is_available=False, detail="No Chromium was found; pages that are only a script stay unread."
        )
    return Capability(name, is_available=True, detail="Renders pages that are only a script, and takes screenshots.")

"""Settings: one frozen value, read once from the environment. The only place that reads it.

Every variable is `GRAPHMARK_<NAME>`. `DATABASE_URL`, `REDIS_URL`, `OPENAI_API_KEY` and `OPENAI_BASE_URL` are also taken
without the prefix, because hosting platforms and other tools set them so; the prefixed form wins.
Limits carry their unit in their name. Every setting is described in docs/configuration.md.
"""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from email.headerregistry import Address
from email.utils import parseaddr
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints
from urllib.parse import urlsplit

from kit.choices import (
    AiProvider,
    BookmarkWorkflow,
    Executor,
    ImportWorkflow,
    LogFormat,
    LogLevel,
    Registration,
    RequireFactor,
    SmtpSecurity,
    Toggle,
)
from kit.cron import Cron
from kit.errors import BadInput

__all__ = [
    "MIN_KEY_CHARS",
    "PREFIX",
    "AiProvider",
    "BookmarkWorkflow",
    "Executor",
    "ImportWorkflow",
    "LogFormat",
    "LogLevel",
    "Registration",
    "RequireFactor",
    "Settings",
    "SmtpSecurity",
    "Toggle",
    "environment_with",
    "load_settings",
]

PREFIX = "GRAPHMARK_"
_MAY_BE_EMPTY = frozenset({"base_url", "archive_url"})

_ALSO_BARE = frozenset({"DATABASE_URL", "REDIS_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL"})
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})
_MAX_CONTACT_CHARS = 200
MIN_KEY_CHARS: Final = 32
"""Of a secret key: 128 bits when it is written in hexadecimal digits."""

_MAX_RATE = 1_000_000_000
_MAX_PORT = 65_535  # beyond it some systems silently take the remainder


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set, with its default. See docs/configuration.md."""

    data_dir: Path = Path(".graphmark")
    host: str = "127.0.0.1"
    port: int = 8000
    base_url: str = ""
    database_url: str | None = field(default=None, repr=False)
    redis_url: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    log_level: LogLevel = LogLevel.INFO
    log_format: LogFormat = LogFormat.AUTO
    registration: Registration = Registration.OPEN
    require_2fa: RequireFactor = RequireFactor.OFF
    executor: Executor = Executor.COMPILED
    introspection: Toggle = Toggle.SIGNED_IN
    graphiql: Toggle = Toggle.ALWAYS
    workers: int = 1

    database_pool_size: int = 10
    statement_timeout_seconds: float = 5.0
    worker_statement_timeout_seconds: float = 60.0
    request_timeout_seconds: float = 10.0
    query_embedding_timeout_seconds: float = 2.0

    max_request_bytes: int = 1_000_000
    max_upload_bytes: int = 100 * 1024 * 1024
    max_waiting_upload_bytes_per_user: int = 1024 * 1024 * 1024
    max_query_chars: int = 20_000
    max_query_tokens: int = 2_000
    max_query_depth: int = 12
    max_query_aliases: int = 15
    max_query_directives: int = 20
    max_query_fields: int = 500
    max_root_fields: int = 10
    max_query_cost: int = 5_000
    persisted_documents: Path | None = None
    persisted_documents_only: bool = False

    websocket_init_timeout_seconds: float = 10.0
    max_websocket_message_bytes: int = 65_536
    max_websockets_per_user: int = 10
    max_subscriptions_per_websocket: int = 20
    max_subscription_backlog: int = 1_000

    rate_operations_per_account_minute: int = 12_000
    rate_operations_per_api_key_minute: int = 6_000
    rate_operations_per_network_minute: int = 30_000
    rate_writes_per_account_minute: int = 3_000
    rate_uploads_per_account_hour: int = 240
    rate_registrations_per_network_hour: int = 100
    rate_mails_per_address_hour: int = 10
    rate_mails_per_network_hour: int = 100
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    metrics_networks: tuple[IPv4Network | IPv6Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))

    password_failures_per_account: int = 10
    code_failures_per_account: int = 5
    sign_in_failures_per_network: int = 60
    sign_in_pause_seconds: float = 15.0
    sign_in_max_pause_seconds: float = 900.0
    known_network_days: int = 30

    password_login: bool = True
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: str | None = field(default=None, repr=False)
    oidc_name: str = "single sign-on"
    oidc_scopes: str = "openid profile email"
    oidc_groups_claim: str = "groups"
    oidc_admin_group: str | None = None
    oidc_user_group: str | None = None
    oidc_registration: bool = True
    proxy_auth_header: str | None = None
    proxy_auth_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    session_idle_minutes: int = 30
    session_absolute_hours: int = 12
    remembered_session_idle_minutes: int = 7 * 24 * 60
    remembered_session_absolute_hours: int = 30 * 24
    api_key_days: int = 90
    api_key_max_days: int = 366
    password_hash_threads: int = 2
    password_hash_queue: int = 64
    idempotency_hours: int = 24
    event_retention_hours: int = 72
    trash_retention_days: int = 30
    upload_retention_hours: int = 24

    smtp_host: str | None = None
    smtp_port: int | None = None
    smtp_username: str | None = None
    smtp_password: str | None = field(default=None, repr=False)
    smtp_security: SmtpSecurity = SmtpSecurity.STARTTLS
    smtp_timeout_seconds: float = 20.0
    mail_from: Address | None = None
    mail_max_attempts: int = 12
    mail_retry_seconds: float = 30.0
    mail_retry_max_seconds: float = 3_600.0
    mail_retention_days: int = 7
    mail_max_files: int = 500

    max_bookmarks_per_user: int = 1_000_000
    max_storage_bytes_per_user: int = 20 * 1024 * 1024 * 1024
    max_running_imports_per_user: int = 4
    import_chunk_rows: int = 5_000
    worker_slots: int = 4
    task_lease_seconds: float = 60.0
    task_heartbeat_seconds: float = 15.0
    task_sweep_seconds: float = 10.0
    task_max_attempts: int = 5
    task_retry_seconds: float = 2.0
    task_retry_max_seconds: float = 300.0
    task_slice_seconds: float = 5.0
    task_stall_seconds: float = 300.0
    task_shutdown_seconds: float = 12.0
    task_retention_days: int = 30
    agent_heartbeat_seconds: float = 15.0
    import_workflow: ImportWorkflow = ImportWorkflow.FULL_IMPORT
    new_bookmark_workflow: BookmarkWorkflow = BookmarkWorkflow.REPROCESS

    chromium: str | None = None
    browser_pages: int = 2
    browser_idle_seconds: float = 120.0
    page_readers: int = 1

    allow_private_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    user_agent_contact: str = ""
    fetch_ports: tuple[int, ...] = (80, 443, 8080, 8443)
    fetch_max_connections: int = 100
    fetch_connect_seconds: float = 5.0
    fetch_silence_seconds: float = 10.0

    host_concurrency: int = 2
    host_spacing_seconds: float = 1.0
    link_check_alive_days: float = 7.0
    link_check_alive_max_days: float = 30.0
    link_check_suspect_days: float = 3.0
    link_check_inconclusive_days: float = 3.0
    link_check_inconclusive_max_days: float = 14.0
    link_check_dead_days: float = 30.0
    link_check_shared_seconds: float = 3_600.0
    link_check_history: int = 100
    link_check_history_days: int = 365
    link_recheck_seconds: int = 3_600
    link_recheck_batch: int = 1_000
    link_recheck_cron: Cron | None = None
    archive_url: str = "https://archive.org/wayback/available"

    ai_provider: AiProvider | None = None
    openai_api_key: str | None = field(default=None, repr=False)
    openai_base_url: str | None = field(default=None, repr=False)
    openai_model: str = "gpt-4.1-mini"
    openai_embedding_model: str = "text-embedding-3-small"
    embedding_dimensions: int = 512
    ai_timeout_seconds: float = 30.0
    ai_max_tries: int = 3
    ai_patience_seconds: float = 60.0
    ai_breaker_failures: int = 5
    ai_breaker_pause_seconds: float = 30.0
    ai_prices: str = ""
    ai_tokens_per_user_month: int = 20_000_000
    ai_dollars_per_user_month: float = 10.0
    ai_tokens_per_agent_month: int = 10_000_000
    ai_dollars_per_agent_month: float = 5.0
    ai_reservation_minutes: int = 30
    ai_call_retention_days: int = 400

    @property
    def origin(self) -> str:
        """The address people reach this server at, without a trailing slash."""
        if self.base_url:
            return self.base_url.rstrip("/")
        host = "localhost" if self.host in {"0.0.0.0", "::", ""} else self.host  # noqa: S104  compared, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def upload_dir(self) -> Path:
        """Where uploaded files wait for their import. All processes must see the same folder."""
        return self.data_dir / "uploads"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `environ` (default: the process environment).

    Raises `BadInput` naming the variable when a value cannot be understood or is out of range.
    """
    environ = os.environ if environ is None else environ
    hints = get_type_hints(Settings)
    values: dict[str, Any] = {}
    for item in fields(Settings):
        name = item.name.upper()
        raw = environ.get(PREFIX + name)
        if raw is None and name in _ALSO_BARE:
            raw = environ.get(name)
        if raw is None or (raw == "" and item.name not in _MAY_BE_EMPTY):
            continue
        values[item.name] = _parse(PREFIX + name, raw, hints[item.name])
    settings = Settings(**values)
    _check_mail(settings)
    return settings


def _check_mail(settings: Settings) -> None:
    """Raise `BadInput` for a mail server that would take nothing, or to which a password would go in the clear."""
    if settings.smtp_host is None:
        return
    if settings.mail_from is None:
        raise BadInput(
            f"{PREFIX}MAIL_FROM is needed with {PREFIX}SMTP_HOST: the address that messages come from.",
            field=(f"{PREFIX}MAIL_FROM",),
        )
    is_clear = settings.smtp_security is SmtpSecurity.NONE and not _is_loopback(settings.smtp_host)
    if is_clear and (settings.smtp_username is not None or settings.smtp_password is not None):
        raise BadInput(
            f"{PREFIX}SMTP_SECURITY=none would send the password in the clear; use starttls or tls.",
            field=(f"{PREFIX}SMTP_SECURITY",),
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _parse(name: str, raw: str, kind: Any) -> Any:
    """Turn the text of one variable into its type."""
    bare = name.removeprefix(PREFIX)
    special = _RATE if bare.startswith("RATE_") else _SPECIAL.get(bare)
    choices = [option for option in get_args(kind) if option is not type(None)]
    kind = choices[0] if choices else kind
    text = raw.strip()
    try:
        if special is not None:
            return special[0](text)
        if kind is bool:
            return _flag(text)
        if kind in {int, float}:
            return _positive(kind(text))
        if issubclass(kind, StrEnum):
            return kind(text.lower())
        return kind(text)
    except ValueError as error:
        wanted = special[1] if special else _wanted(kind)
        shown = name if name == f"{PREFIX}SECRET_KEY" else f"{name}={raw!r}"
        raise BadInput(f"{shown} cannot be used: expected {wanted}.", field=(name,)) from error


def _wanted(kind: Any) -> str:
    """Say what a variable may be."""
    return " or ".join(kind) if issubclass(kind, StrEnum) else f"a positive {kind.__name__}"


def _flag(text: str) -> bool:
    lowered = text.lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    raise ValueError(text)


def _positive(number: float) -> float:
    if not (number > 0 and math.isfinite(number)):
        raise ValueError(number)
    return number


def _port(number: int) -> int:
    if not 0 <= number <= _MAX_PORT:
        raise ValueError(number)
    return number


def _rate(text: str) -> int:
    """Return an amount in a time; 0 means that there is no limit."""
    number = int(text)
    if not 0 <= number <= _MAX_RATE:
        raise ValueError(text)
    return number


def _origin(text: str) -> str:
    """Return an address that browsers can send as Origin, or nothing."""
    parts = urlsplit(text)
    if text and (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or parts.username is not None
        or parts.port == 0  # reading it raises ValueError when it is none
        or parts.path.strip("/")
        or parts.query
        or parts.fragment
    ):
        raise ValueError(text)
    return text


def _web_address(text: str) -> str:
    """Return an address of the web, or nothing."""
    parts = urlsplit(text)
    if text and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0):
        raise ValueError(text)
    return text


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Return ranges of addresses. One with bits behind its prefix is a mistake that could open more than was meant."""
    networks = tuple(ip_network(part.strip()) for part in text.split(","))
    if any(isinstance(network, IPv6Network) and network.network_address.ipv4_mapped for network in networks):
        raise ValueError(text)  # such addresses are dialled, and judged, as IPv4
    return networks


def _ports(text: str) -> tuple[int, ...]:
    """Return ports that can be dialled."""
    ports = tuple(_port(int(part)) for part in text.split(","))
    if 0 in ports:
        raise ValueError(text)
    return ports


def _require_factor(text: str) -> RequireFactor:
    """Return a policy by its name, or by yes and no."""
    try:
        return RequireFactor(text.lower())
    except ValueError:
        return RequireFactor.ALL if _flag(text) else RequireFactor.OFF


def _key(text: str) -> str:
    """Return a key that nobody guesses, if it was made by a machine."""
    if len(text) < MIN_KEY_CHARS:
        raise ValueError(len(text))
    return text


def _sender(text: str) -> Address:
    """Return an address for the From header, with or without a name: `Graphmark <links@example.org>`."""
    name, address = parseaddr(text)
    local, _, domain = address.rpartition("@")
    if not (local and domain and domain.isascii() and text.isprintable()) or set(domain) & set(" <>,;"):
        raise ValueError(text)
    return Address(name or "Graphmark", local, domain)


def _contact(text: str) -> str:
    """Return what fits into a comment of the User-Agent header (RFC 9110 section 5.6.5)."""
    is_plain = text.isascii() and text.isprintable() and not set(text) & set("()\\ ")
    if not is_plain or len(text) > _MAX_CONTACT_CHARS:
        raise ValueError(text)
    return text


def _issuer(text: str) -> str:
    """Return an issuer as it is: it is compared letter by letter. Plain http is for this machine only."""
    parts = urlsplit(text)
    is_here = parts.scheme == "http" and parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if not parts.hostname or parts.query or parts.fragment or not (parts.scheme == "https" or is_here):
        raise ValueError(text)
    return text


_RATE: Final = (_rate, f"a whole number up to {_MAX_RATE:,}, or 0 for no limit")
_SPECIAL: Final[Mapping[str, tuple[Callable[[str], Any], str]]] = {
    "BASE_URL": (_origin, "an address without a path, like https://links.example.org"),
    "ARCHIVE_URL": (_web_address, "an address like https://archive.org/wayback/available, or nothing"),
    "SECRET_KEY": (_key, f"at least {MIN_KEY_CHARS} characters, such as `openssl rand -hex 32` prints"),
    "MAIL_FROM": (_sender, "an address like links@example.org or Graphmark <links@example.org>"),
    "SMTP_PORT": (lambda text: _ports(text)[0], f"a port from 1 to {_MAX_PORT}"),
    "REQUIRE_2FA": (_require_factor, "off, admins or all"),
    "PORT": (lambda text: _port(int(text)), f"a port from 0 to {_MAX_PORT}"),
    "ALLOW_PRIVATE_NETWORKS": (_networks, "networks separated by commas, like 192.168.1.0/24,fd00::/8"),
    "TRUSTED_PROXIES": (_networks, "networks separated by commas, like 127.0.0.1/32,10.0.0.0/8"),
    "METRICS_NETWORKS": (_networks, "networks separated by commas, like 127.0.0.0/8,10.1.0.0/16"),
    "PROXY_AUTH_NETWORKS": (_networks, "networks separated by commas, like 172.18.0.0/16"),
    "OIDC_ISSUER": (_issuer, "an https address without query, like https://id.example.org/realms/home"),
    "FETCH_PORTS": (_ports, f"ports from 1 to {_MAX_PORT} separated by commas"),
    "LINK_RECHECK_CRON": (Cron.parse, "five fields of cron in UTC, like 30 3 * * 1-5"),
    "USER_AGENT_CONTACT": (_contact, "an address without spaces, like https://links.example.org/about"),
}
"""Variables that need more than their type says: how each is read, and how that is told."""


def environment_with(**changes: str) -> dict[str, str]:
    """Return a copy of the process environment with settings changed, for a child process: `DATABASE_URL="…"`."""
    return {**os.environ, **{PREFIX + name: value for name, value in changes.items()}}

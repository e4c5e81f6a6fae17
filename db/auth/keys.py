"""API keys: of a key only the fingerprint is stored, and the few characters by which its owner knows it again."""

from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from typing_extensions import TypeVar

from db.auth.ending import call_out
from db.query import Query
from db.shapes import Keyset, Shape, Source, Whole
from db.tables.auth import ApiKey
from db.unit import Rows, Unit


@dataclass(frozen=True, slots=True)
class ApiKeyRow:
    """An API key without its secret. It opens nothing after `expires_at`."""

    id: UUID
    owner_id: UUID
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class LiveKey:
    """What a valid API key says about its bearer. `is_stale` when its last use was noted more than a minute ago.

    `role` is its owner's, and `has_factor` says whether the owner has a second factor.
    """

    key_id: UUID
    owner_id: UUID
    role: str
    scopes: list[str]
    is_stale: bool
    has_factor: bool


SOURCE = Source(table=ApiKey)
WHOLE = Whole(ApiKeyRow)
R = TypeVar("R", default=ApiKeyRow)
_COLUMNS = ", ".join(item.name for item in fields(ApiKeyRow))


async def live_key(rows: Rows, token_hash: bytes) -> LiveKey | None:
    """Return whose key this is, or None when it is unknown, expired, or its account is disabled."""
    row = await rows.fetchrow(
        """
        SELECT k.id AS key_id, k.owner_id, u.role, k.scopes,
            coalesce(k.last_used_at < now() - interval '1 minute', true) AS is_stale,
            EXISTS (SELECT FROM totp_factors t WHERE t.user_id = u.id AND t.confirmed_at IS NOT NULL) AS has_factor
        FROM api_keys k JOIN users u ON u.id = k.owner_id
        WHERE k.token_hash = $1 AND k.expires_at > now() AND u.disabled_at IS NULL
        """,
        token_hash,
    )
    return LiveKey(**row) if row else None


async def seconds_of_key(rows: Rows, key_id: UUID) -> float:
    """Return for how long a key opens something if nobody revokes it; 0 when it opens nothing any more."""
    left = await rows.fetchval(
        """
        SELECT extract(epoch FROM k.expires_at - now())::float8
        FROM api_keys k JOIN users u ON u.id = k.owner_id WHERE k.id = $1 AND u.disabled_at IS NULL
        """,
        key_id,
    )
    return max(0.0, left or 0.0)


async def touch_key(rows: Rows, key_id: UUID) -> None:
    """Note that a key was used just now, if that was not noted within the last minute."""
    await rows.execute(
        """
        UPDATE api_keys SET last_used_at = now()
        WHERE id = $1 AND coalesce(last_used_at < now() - interval '1 minute', true)
        """,
        key_id,
    )


async def insert_key(unit: Unit, row: ApiKeyRow, token_hash: bytes) -> ApiKeyRow:
    """Add a key; its times are those of the row, but for `created_at`."""
    stored = await unit.fetchrow(
        f"""
        INSERT INTO api_keys (id, owner_id, name, prefix, scopes, expires_at, token_hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING {_COLUMNS}
        """,
        row.id,
        row.owner_id,
        row.name,
        row.prefix,
        row.scopes,
        row.expires_at,
        token_hash,
    )
    assert stored is not None  # noqa: S101  an INSERT … RETURNING without a conflict clause gives its row or raises
    return ApiKeyRow(*stored)


async def lock_owner(unit: Unit, owner_id: UUID) -> None:
    """Be the only one who adds keys to an account until the transaction ends."""
    await unit.execute("SELECT pg_advisory_xact_lock(hashtextextended($1::text, $2))", str(owner_id), 0x6B65_7973)


async def count_keys(rows: Rows, owner_id: UUID) -> int:
    """Return how many keys an account has, those that have expired included."""
    return int(await rows.fetchval("SELECT count(*) FROM api_keys WHERE owner_id = $1", owner_id))


async def key_by_id(rows: Rows, key: UUID, shape: Shape[R] = WHOLE.by_default) -> R | None:
    """Return a key or None. Anybody's: whoever calls decides who may see it."""
    query = Query(key)
    row = await rows.fetchrow(
        f"SELECT {shape.columns(query, 'k')} FROM api_keys k WHERE k.id = {query.owner}", *query.arguments
    )
    return shape.row(row) if row else None


async def page_of_keys(
    rows: Rows,
    owner_id: UUID,
    *,
    position: tuple[datetime, UUID] | None,
    backward: bool,
    limit: int,
    shape: Shape[R] = WHOLE.by_default,
) -> list[tuple[R, datetime, UUID]]:
    """Return at most `limit` keys with their places, newest first, beyond `position`; oldest first if `backward`."""
    query = Query(owner_id)
    keyset = Keyset("api_keys", "k", "k.created_at", not backward, position, limit)
    return await keyset.page(rows, query, [f"k.owner_id = {query.owner}"], shape)


async def delete_key(unit: Unit, owner_id: UUID, key: UUID) -> bool:
    """Remove a key of `owner_id` and tell every process, so that its sockets close. False when it was gone before."""
    gone = await unit.execute("DELETE FROM api_keys WHERE id = $1 AND owner_id = $2", key, owner_id)
    if gone:
        await call_out(unit, [key])
    return bool(gone)


async def purge_keys(unit: Unit, *, limit: int) -> int:
    """Forget at most `limit` keys that expired more than 30 days ago; return how many went."""
    return await unit.execute(
        """
        DELETE FROM api_keys WHERE id IN (
            SELECT id FROM api_keys WHERE expires_at < now() - interval '30 days' LIMIT $1 FOR UPDATE SKIP LOCKED
        )
        """,
        limit,
    )

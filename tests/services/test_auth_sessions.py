"""Sessions: how long they last, how their tokens are renewed, how they end."""

from datetime import timedelta

import pytest

from db import auth as auth_rows
from db.unit import Database
from db.users import UserRow
from kit.crypto import SecretKey, fingerprint
from kit.errors import Forbidden, NotFound, Unauthenticated
from kit.ids import new_id
from kit.settings import Settings
from services import auth
from services.auth import Device, Renewed
from services.auth.sessions import MAX_SESSIONS
from services.permissions import ApiScope, Role, Viewer
from tests.make import Maker

KEY = SecretKey("a key of more than thirty-two characters")
PHONE = Device("Mozilla/5.0 (iPhone) Version/17.5 Safari/604.1", "192.0.2.7")


async def opened(database: Database, settings: Settings, user: UserRow, *, remembered: bool = False) -> str:
    """Return the token of a new session, as signing in opens it."""
    async with database.unit() as unit:
        device = Device(PHONE.user_agent, PHONE.network_address, remembered)
        return (await auth.open_session(unit, settings, user, device)).token


async def bearer(database: Database, settings: Settings, token: str) -> Viewer:
    """Return whom a token speaks for; it must speak for somebody."""
    viewer = await auth.authenticate(database, settings, token)
    assert viewer is not None
    return viewer


async def renewed(database: Database, viewer: Viewer, token: str) -> Renewed:
    """Renew a session's token."""
    async with database.unit() as unit:
        return await auth.renew(unit, KEY, viewer, token)


@pytest.mark.parametrize(
    ("remembered", "idle", "absolute"),
    [(False, timedelta(minutes=30), timedelta(hours=12)), (True, timedelta(days=7), timedelta(days=30))],
)
async def test_a_session_lasts_as_long_as_was_wished(
    database: Database, settings: Settings, make: Maker, *, remembered: bool, idle: timedelta, absolute: timedelta
) -> None:
    await opened(database, settings, await make.user(), remembered=remembered)
    row = await database.fetchrow(
        "SELECT idle_expires_at - created_at AS idle, expires_at - created_at AS absolute FROM sessions"
    )
    assert row is not None
    assert dict(row) == {"idle": idle, "absolute": absolute}


async def test_use_never_moves_a_session_beyond_its_absolute_end(
    database: Database, settings: Settings, make: Maker
) -> None:
    token = await opened(database, settings, await make.user())
    await database.execute(
        "UPDATE sessions SET expires_at = now() + interval '5 minutes', last_seen_at = now() - interval '2 minutes'"
    )
    before = await database.fetchval("SELECT expires_at FROM sessions")
    await bearer(database, settings, token)
    row = await database.fetchrow("SELECT expires_at, idle_expires_at FROM sessions")
    assert row is not None
    assert (row["expires_at"], row["idle_expires_at"]) == (before, before)


async def test_an_idle_session_is_not_brought_back_by_a_late_touch(
    database: Database, settings: Settings, make: Maker
) -> None:
    viewer = await bearer(database, settings, await opened(database, settings, await make.user()))
    await database.execute("UPDATE sessions SET idle_expires_at = now(), last_seen_at = now() - interval '30 minutes'")
    await auth.touch(database, viewer)
    assert await auth.seconds_left(database, viewer) == 0


async def test_the_session_that_was_not_used_for_longest_makes_room(
    database: Database, settings: Settings, make: Maker
) -> None:
    user = await make.user()
    other = await make.session(await make.user())
    tokens = [await make.session(user) for _ in range(MAX_SESSIONS)]
    await database.execute(
        "UPDATE sessions SET last_seen_at = now() - interval '1 hour' WHERE token_hash = $1", fingerprint(tokens[7])
    )
    newest = await opened(database, settings, user)
    standing = [token for token in tokens if await auth.authenticate(database, settings, token) is not None]
    assert standing == tokens[:7] + tokens[8:]
    await bearer(database, settings, newest)
    await bearer(database, settings, other)


async def test_renewing_gives_another_token_and_nothing_else(
    database: Database, settings: Settings, make: Maker
) -> None:
    token = await opened(database, settings, await make.user())
    before = await database.fetchrow("SELECT * FROM sessions")
    viewer = await bearer(database, settings, token)
    new = await renewed(database, viewer, token)
    assert new.token != token
    assert len(new.token) == len(token)
    assert new.token.startswith("gms_")
    after = await database.fetchrow("SELECT * FROM sessions")
    assert before is not None
    assert after is not None
    assert dict(after) | {"token_hash": None} == dict(before) | {"token_hash": None, "generation": 1}
    assert after["token_hash"] == fingerprint(new.token)
    assert await bearer(database, settings, new.token) == viewer


async def test_renewing_again_within_the_grace_gives_the_same(
    database: Database, settings: Settings, make: Maker
) -> None:
    first = await opened(database, settings, await make.user())
    viewer = await bearer(database, settings, first)
    second = await renewed(database, viewer, first)
    assert await bearer(database, settings, first) == viewer
    assert await renewed(database, viewer, first) == second
    third = await renewed(database, viewer, second.token)
    assert await renewed(database, viewer, first) == third
    assert await database.fetchval("SELECT generation FROM sessions") == 2


async def test_after_the_grace_an_old_token_ends_the_session(
    database: Database, settings: Settings, make: Maker
) -> None:
    user = await make.user("ada@example.org")
    kept = await opened(database, settings, user)
    first = await opened(database, settings, user)
    viewer = await bearer(database, settings, first)
    new = await renewed(database, viewer, first)
    await database.execute("UPDATE session_tokens SET retired_at = now() - interval '11 seconds'")
    with pytest.raises(Unauthenticated):
        await renewed(database, viewer, first)
    assert await auth.authenticate(database, settings, first) is None
    assert await auth.authenticate(database, settings, new.token) is None
    assert await auth.seconds_left(database, viewer) == 0
    await bearer(database, settings, kept)
    entries = await database.fetch("SELECT action, succeeded, actor_id, subject_id, details FROM audit_entries")
    (entry,) = entries
    assert (entry["action"], entry["succeeded"], entry["actor_id"]) == ("SESSION_TOKEN_REUSED", False, None)
    assert entry["subject_id"] == user.id
    assert str(viewer.session_id) in str(entry["details"])
    assert await auth.authenticate(database, settings, first) is None
    assert await database.fetchval("SELECT count(*) FROM audit_entries") == 1
    told = await database.fetch("SELECT kind, user_id FROM mail_messages")
    assert [tuple(row) for row in told] == [("SESSION_ENDED", user.id)]


async def test_the_token_of_another_session_renews_nothing(database: Database, settings: Settings, make: Maker) -> None:
    one = await opened(database, settings, await make.user())
    two = await opened(database, settings, await make.user())
    with pytest.raises(Unauthenticated):
        await renewed(database, await bearer(database, settings, one), two)
    assert await database.fetchval("SELECT max(generation) FROM sessions") == 0


async def test_old_tokens_are_remembered_up_to_a_limit(
    database: Database, settings: Settings, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.auth.rotation.MAX_RETIRED", 3)
    token = await opened(database, settings, await make.user())
    viewer = await bearer(database, settings, token)
    for _ in range(7):
        token = (await renewed(database, viewer, token)).token
    kept = await database.fetch("SELECT generation FROM session_tokens ORDER BY generation")
    assert [row["generation"] for row in kept] == [4, 5, 6]


async def test_ending_the_others_keeps_the_one_that_asks(database: Database, settings: Settings, make: Maker) -> None:
    user = await make.user()
    mine, others = await make.session(user), [await make.session(user) for _ in range(3)]
    stranger = await make.session(await make.user())
    viewer = await bearer(database, settings, mine)
    async with database.unit() as unit:
        assert await auth.revoke_others(unit, viewer, PHONE) == 3
    async with database.unit() as unit:
        assert await auth.revoke_others(unit, viewer, PHONE) == 0
    await bearer(database, settings, mine)
    await bearer(database, settings, stranger)
    assert [await auth.authenticate(database, settings, token) for token in others] == [None] * 3


async def test_who_may_end_whose_session(database: Database, settings: Settings, make: Maker) -> None:
    ada, root = await make.user(), await make.user(role=Role.ADMIN)
    target = await bearer(database, settings, await make.session(ada))
    stranger = await bearer(database, settings, await make.session(await make.user()))
    admin = await bearer(database, settings, await make.session(root))
    assert target.session_id is not None
    for viewer, error in (
        (stranger, NotFound),
        (Viewer(ada.id, scopes=frozenset(ApiScope), key_id=new_id()), Forbidden),
        (Viewer(ada.id, session_id=target.session_id, must_enrol=True), Forbidden),
    ):
        with pytest.raises(error):
            async with database.unit() as unit:
                await auth.revoke(unit, viewer, PHONE, target.session_id)
    await database.execute("UPDATE sessions SET authenticated_at = now() - interval '11 minutes'")
    with pytest.raises(Forbidden, match="needs a proof"):
        async with database.unit() as unit:
            await auth.revoke(unit, admin, PHONE, target.session_id)
    assert await auth.seconds_left(database, target) > 0
    await database.execute("UPDATE sessions SET authenticated_at = now()")
    async with database.unit() as unit:
        assert (await auth.revoke(unit, admin, PHONE, target.session_id)).user_id == ada.id
    assert await auth.seconds_left(database, target) == 0
    with pytest.raises(NotFound):
        async with database.unit() as unit:
            await auth.revoke(unit, admin, PHONE, target.session_id)
    (entry,) = await database.fetch("SELECT action, actor_id, subject_id FROM audit_entries")
    assert tuple(entry) == ("SESSION_REVOKED", root.id, ada.id)


async def test_a_disabled_account_is_shut_out(database: Database, settings: Settings, make: Maker) -> None:
    ada = await make.user()
    mine, other = await make.session(ada), await make.session(await make.user())
    async with database.unit() as unit:
        assert await auth.shut_out(unit, ada.id) == 1
    assert await auth.authenticate(database, settings, mine) is None
    await bearer(database, settings, other)


async def test_keys_are_forgotten_a_month_after_their_end(database: Database, make: Maker) -> None:
    user = await make.user()
    await database.execute(
        """
        INSERT INTO api_keys (id, owner_id, name, prefix, token_hash, scopes, expires_at)
        SELECT gen_random_uuid(), $1, n::text, 'gmk_', sha256(n::text::bytea), '{READ}', now() - n * interval '1 day'
        FROM unnest('{-1, 1, 29, 31, 400}'::int[]) AS n
        """,
        user.id,
    )
    async with database.unit() as unit:
        assert await auth_rows.purge_keys(unit, limit=10) == 2
    kept = await database.fetch("SELECT name FROM api_keys ORDER BY expires_at")
    assert [row["name"] for row in kept] == ["29", "1", "-1"]

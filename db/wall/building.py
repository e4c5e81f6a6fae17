"""Making the wall true of a database, and telling whether it is.

Policies name no role: owners of tables and superusers pass them by, everybody else has them. So they can be made,
dumped and restored where the role is missing, which only adds the rights to use what policies leave open. A database
user who may not make roles gets policies without it. Then everything works behind the first wall alone, and `gap` says
so.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

import asyncpg

from db.wall.tables import ACTING, INDEXED, IS, ROLE, SCHEMA, TABLES, Access, Own, Shared, Through

POLICY: Final = "graphmark_owner"
_TRIES: Final = 5

# Roles belong to the whole server: somebody may be making this one for another database at this moment.
_MAKE_ROLE: Final = f"CREATE ROLE {ROLE} NOLOGIN NOINHERIT"
_LEND_ROLE: Final = f"""
DO $$ BEGIN
    IF NOT pg_has_role(current_user, '{ROLE}', 'SET') THEN
        EXECUTE format('GRANT {ROLE} TO %I WITH INHERIT FALSE, SET TRUE', current_user);
    END IF;
END $$
"""
_MADE_MEANWHILE: Final = (
    asyncpg.DuplicateObjectError,
    asyncpg.UniqueViolationError,
    asyncpg.InternalServerError,  # tuple concurrently updated
)
_MAY_SET: Final = f"""
SELECT CASE WHEN to_regrole('{ROLE}') IS NULL THEN false ELSE pg_has_role(current_user, '{ROLE}', 'SET') END
"""
_THERE: Final = f"""
SELECT c.relname::text AS name, c.relrowsecurity AS is_on,
    (SELECT obj_description(p.oid, 'pg_policy') FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = '{POLICY}')
        AS mark,
    ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attnum) AS columns
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.relname
"""
_COLUMNS_OF: Final = """ARRAY(SELECT attname FROM pg_attribute
    WHERE attrelid = to_regclass('public.{}') AND attnum > 0 AND NOT attisdropped ORDER BY attnum)"""
_IS_WHOLE: Final = f"SELECT {_COLUMNS_OF.format(INDEXED)} = {_COLUMNS_OF.format('bookmarks')}"
_WHOLE: Final = f"DROP VIEW IF EXISTS public.{INDEXED}; CREATE VIEW public.{INDEXED} AS SELECT * FROM public.bookmarks"
_OPENED: Final = f"""
SELECT obj_description(to_regnamespace('{SCHEMA}'), 'pg_namespace') AS mark,
    to_regclass('{SCHEMA}.{INDEXED}') IS NOT NULL AS has_view,
    has_schema_privilege('{ROLE}', '{SCHEMA}', 'USAGE') AS is_lent
"""


async def build(connection: asyncpg.Connection) -> None:
    """Make the wall of a migrated database what `TABLES` says; outside of any transaction. Repeating it does nothing.

    Each table is done in a transaction of its own, which never waits for one table while it holds another. Without the
    right to make the role it leaves that out.
    """
    there = await _there(connection)
    for name, (is_standing, _) in there.items():
        policy = policy_of(name, TABLES[name])
        if policy and not is_standing:
            async with connection.transaction():
                await connection.execute(f"{policy}; {_marked(name, policy)}")
    if not await connection.fetchval(_IS_WHOLE):
        async with connection.transaction():
            await connection.execute(_WHOLE)
    if await _has_role(connection):
        opening = _opening({name: columns for name, (_, columns) in there.items()})
        if not await _is_open(connection, opening):
            async with connection.transaction():
                await connection.execute(f"{opening};\nCOMMENT ON SCHEMA {SCHEMA} IS '{_digest(opening)}'")


async def gap(connection: asyncpg.Connection) -> str | None:
    """Return why the wall of a migrated database does not stand, as a sentence; None when it does."""
    there = await _there(connection)
    if await connection.fetchval(f"SELECT to_regnamespace('{SCHEMA}')") is None:
        return "the database lacks migrations; run `graphmark migrate`"
    if not await connection.fetchval(_MAY_SET):
        user = await connection.fetchval("SELECT quote_ident(current_user)")
        return (
            f"{user} may not act as the role {ROLE}; have somebody who may make roles run "
            f"`CREATE ROLE {ROLE} NOLOGIN NOINHERIT; GRANT {ROLE} TO {user}`, then run `graphmark migrate` and restart"
        )
    without = [name for name, (is_standing, _) in there.items() if policy_of(name, TABLES[name]) and not is_standing]
    if without or not await _is_open(connection, _opening({name: columns for name, (_, columns) in there.items()})):
        return f"it is not built for {', '.join(without) or 'this version'}; run `graphmark migrate` and restart"
    return None


def policy_of(name: str, access: Access) -> str:
    """Return the SQL that gives a table its policy and enables it; nothing for a table whose rows are nobody's."""
    match access:
        case Own(column, refers=refers):
            seen = f"{column} {IS} {ACTING}"
            written = " AND ".join([seen, *(_is_own(name, *one) for one in refers)])
        case Through(column, parent):
            seen = written = _is_own(name, column, parent)
        case _:
            return ""
    return f"""
        DROP POLICY IF EXISTS {POLICY} ON public.{name};
        CREATE POLICY {POLICY} ON public.{name} USING ({seen}) WITH CHECK ({written});
        ALTER TABLE public.{name} ENABLE ROW LEVEL SECURITY
    """


def _is_own(name: str, column: str, parent: str) -> str:
    """Return the condition that a row refers to one of the account's: looked up by its key, whatever the plan."""
    return f"(SELECT one.owner_id FROM public.{parent} one WHERE one.id = {name}.{column}) {IS} {ACTING}"


async def _has_role(connection: asyncpg.Connection) -> bool:
    """Have the role, and the right to act as it, if need be and possible."""
    for _ in range(_TRIES):
        try:
            if await connection.fetchval(f"SELECT to_regrole('{ROLE}') IS NULL"):
                await connection.execute(_MAKE_ROLE)
            await connection.execute(_LEND_ROLE)
        except asyncpg.InsufficientPrivilegeError:
            return False
        except _MADE_MEANWHILE:
            continue
        return True
    return bool(await connection.fetchval(_MAY_SET))


async def _there(connection: asyncpg.Connection) -> dict[str, tuple[bool, list[str]]]:
    """Return of each table that `TABLES` knows whether its policy stands, and its columns."""
    return {
        row["name"]: (
            row["is_on"] and row["mark"] == _digest(policy_of(row["name"], TABLES[row["name"]])),
            row["columns"],
        )
        for row in await connection.fetch(_THERE)
        if row["name"] in TABLES
    }


async def _is_open(connection: asyncpg.Connection, opening: str) -> bool:
    """Tell whether the role has been given what `opening` gives it, in this database on this server."""
    row = await connection.fetchrow(_OPENED)
    return row is not None and row["has_view"] and row["is_lent"] and row["mark"] == _digest(opening)


def _opening(columns: Mapping[str, Sequence[str]]) -> str:
    """Return the SQL that gives the role its rights to the tables of which `columns` are given, and makes its views."""
    shown = ", ".join(columns["bookmarks"])
    rights = [right for name in columns for right in _rights(name, TABLES[name], columns[name])]
    return ";\n".join(
        [
            f"DROP VIEW IF EXISTS {SCHEMA}.{INDEXED}",
            f"CREATE VIEW {SCHEMA}.{INDEXED} AS SELECT {shown} FROM public.bookmarks WHERE owner_id = {ACTING}",
            f"REVOKE ALL ON ALL TABLES IN SCHEMA public, {SCHEMA} FROM {ROLE}",
            f"GRANT USAGE ON SCHEMA public, {SCHEMA} TO {ROLE}",
            f"GRANT SELECT ON {SCHEMA}.{INDEXED} TO {ROLE}",
            *rights,
        ]
    )


def _rights(name: str, access: Access, columns: Sequence[str]) -> list[str]:
    match access:
        case Own(_, hidden, is_writable):
            readable = ", ".join(column for column in columns if column not in hidden)
            reading = f"SELECT ({readable})" if hidden else "SELECT"
            writing = ", INSERT, UPDATE, DELETE" if is_writable else ""
            return [f"GRANT {reading}{writing} ON public.{name} TO {ROLE}"]
        case Through():
            return [f"GRANT SELECT, INSERT, UPDATE, DELETE ON public.{name} TO {ROLE}"]
        case Shared():
            return [f"GRANT SELECT ON public.{name} TO {ROLE}"]
        case _:
            return []


def _marked(name: str, policy: str) -> str:
    return f"COMMENT ON POLICY {POLICY} ON public.{name} IS '{_digest(policy)}'"


def _digest(sql: str) -> str:
    return sha256(sql.encode()).hexdigest()[:16]

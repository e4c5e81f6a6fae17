"""What an owner lets the agents do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from db.shapes import Kind, One, Source, Value, Whole
from db.tables.users import User
from db.unit import Rows, Unit


@dataclass(frozen=True, slots=True)
class AgentSettingsRow:
    """`auto_apply_above` is a confidence (0 to 1) from which on proposals are applied at once; None: never."""

    auto_apply_above: float | None = None
    propose_new_tags: bool = True
    ask_provider: bool = True
    recheck_links: bool = True


# A row of the account itself, so that there is one also where nothing was ever set.
SOURCE = Source(
    table=User,
    owner="id",
    joins="LEFT JOIN agent_settings {row}_set ON {row}_set.owner_id = {row}.id",
    computed={
        "auto_apply_above": Value("{row}_set.auto_apply_above", Kind.OTHER, is_nullable=True),
        "propose_new_tags": Value("coalesce({row}_set.propose_new_tags, true)", Kind.BOOLEAN),
        "ask_provider": Value("coalesce({row}_set.ask_provider, true)", Kind.BOOLEAN),
        "recheck_links": Value("coalesce({row}_set.recheck_links, true)", Kind.BOOLEAN),
    },
)
WHOLE = Whole(AgentSettingsRow, tuple((name, value.template) for name, value in SOURCE.computed.items()))
OF_USER = One(SOURCE, needs=("id",), key="id")
"""The settings of an account, for itself only."""
_COLUMNS = "auto_apply_above, propose_new_tags, ask_provider, recheck_links"


async def get(rows: Rows, owner_id: UUID) -> AgentSettingsRow:
    """Return what the owner has set, or the defaults."""
    row = await rows.fetchrow(f"SELECT {_COLUMNS} FROM agent_settings WHERE owner_id = $1", owner_id)
    return AgentSettingsRow(**row) if row else AgentSettingsRow()


async def change(unit: Unit, owner_id: UUID, values: Mapping[str, Any]) -> AgentSettingsRow:
    """Set columns, named by the fields of `AgentSettingsRow`; return how everything is set now."""
    await unit.execute("INSERT INTO agent_settings (owner_id) VALUES ($1) ON CONFLICT DO NOTHING", owner_id)
    sets = "".join(f", {name} = ${number}" for number, name in enumerate(values, start=2))
    row = await unit.fetchrow(
        f"UPDATE agent_settings SET updated_at = now(){sets} WHERE owner_id = $1 RETURNING {_COLUMNS}",
        owner_id,
        *values.values(),
    )
    return AgentSettingsRow(**row)  # type: ignore[arg-type]  # the row was made above

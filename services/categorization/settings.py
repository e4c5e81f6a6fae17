"""What an owner lets the agents do by themselves."""

from typing import Any, TypedDict, cast

from db.categorization import AgentSettingsRow
from db.categorization import settings as rows_of
from db.unit import Rows, Unit
from kit.errors import BadInput
from services.permissions import Viewer


class AgentSettingsChanges(TypedDict, total=False):
    """What to change; what is left out stays."""

    auto_apply_above: float | None
    propose_new_tags: bool
    ask_provider: bool
    recheck_links: bool


async def get(rows: Rows, viewer: Viewer) -> AgentSettingsRow:
    """Return what the viewer has set, or the defaults: nothing is applied by itself."""
    return await rows_of.get(rows, viewer.id)


async def change(unit: Unit, viewer: Viewer, changes: AgentSettingsChanges) -> AgentSettingsRow:
    """Change the viewer's settings. Raises `BadInput` for a confidence outside 0 to 1."""
    above = changes.get("auto_apply_above")
    if above is not None and not 0 <= above <= 1:
        raise BadInput("`autoApplyAbove` is a confidence from 0 to 1.", field=("input", "autoApplyAbove"))
    return await rows_of.change(unit, viewer.id, cast("dict[str, Any]", changes))

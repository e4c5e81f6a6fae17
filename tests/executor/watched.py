"""The compiled executor, counting what it is asked and what it plans: an oracle proves nothing about plans not made."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

from app.graphql.engine import Engine
from kit.errors import GraphmarkError
from resolvers.compiled import CompiledExecutor

FAILED = "plan failed"
RESOLVER = "resolver"
"""What the planner calls a field that it leaves to its resolver."""


@dataclass(frozen=True, slots=True)
class _Counted:
    """A plan that tells how it went."""

    plan: Any
    name: str
    counts: Counter[str]

    async def run(self, source: Any, executor: Any) -> Any:
        """Run the plan."""
        try:
            answer = await self.plan.run(source, executor)
        except Exception as error:
            self.counts[f"{'refused' if isinstance(error, GraphmarkError) else FAILED} {self.name}"] += 1
            raise
        self.counts[f"planned {self.name}"] += 1
        return answer


class WatchedExecutor(CompiledExecutor):
    """Answers as its base does. `counts` has `asked`, `planned`, `refused` and `plan failed`, by type and field.

    A plan that failed was answered by the resolvers, so the bytes are right, but the plan is wrong all the same.
    """

    counts: ClassVar[Counter[str]] = Counter()
    _name = ""

    def execute_field(
        self, parent_type: Any, source: Any, field_details_list: Any, path: Any, position_context: Any
    ) -> Any:
        """Count the fields of the root, then do as the base does."""
        self._name = f"{parent_type.name}.{field_details_list[0].node.name.value}"
        if parent_type is self.schema.query_type:
            self.counts[f"asked {self._name}"] += 1
        return super().execute_field(parent_type, source, field_details_list, path, position_context)

    def plan_of(self, definition: Any, details: Any) -> Any:
        """Return the plan, made to count."""
        plan = super().plan_of(definition, details)
        return None if plan is None else _Counted(plan, self._name, self.counts)


def watch(engine: Engine) -> None:
    """Let an engine's compiled executor count."""
    assert engine._executor is CompiledExecutor  # noqa: SLF001  nothing else has a need to exchange it
    engine._executor = WatchedExecutor  # noqa: SLF001  as above


def failures() -> dict[str, int]:
    """Return the plans that failed, by type and field."""
    return {name: number for name, number in WatchedExecutor.counts.items() if name.startswith(FAILED)}


def shares() -> list[str]:
    """Return a line for each field of the root: how often it was asked, and which share of that was planned."""
    counts = WatchedExecutor.counts
    asked = {name.removeprefix("asked "): number for name, number in counts.items() if name.startswith("asked ")}
    return [
        f"  {name:<28} asked {number:>7,}  planned {counts[f'planned {name}'] / number:>6.1%}"
        f"  refused {counts[f'refused {name}'] / number:>6.1%}"
        for name, number in sorted(asked.items(), key=lambda item: -item[1])
    ]

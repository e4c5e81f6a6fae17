"""Compiled execution: a selection becomes one SQL statement, and PostgreSQL prints the answer.

`facts` says what schema fields carry, `planner` turns a selection into a plan, `plans` are what is remembered of a
document, `executor` is the executor of graphql-core that uses them, and `shortcut` does without it. What cannot be
planned, and whatever goes wrong, is left to the ordinary resolvers: docs/decisions/0013-compiled-execution.md.
"""

from resolvers.compiled.executor import CompiledExecutor
from resolvers.compiled.facts import answers, printed, with_columns
from resolvers.compiled.plans import Plans
from resolvers.compiled.shortcut import shortcut_key

__all__ = ["CompiledExecutor", "Plans", "answers", "printed", "shortcut_key", "with_columns"]

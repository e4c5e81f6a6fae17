"""Makes an operation smaller while two executors still answer it differently."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

from graphql import (
    ArgumentNode,
    DirectiveNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    Node,
    ObjectFieldNode,
    OperationDefinitionNode,
    SelectionNode,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    parse,
    visit,
)

from tests.executor.operations import Case

MAX_TRIALS = 400
_CUT = (SelectionNode, ArgumentNode, DirectiveNode, ObjectFieldNode, OperationDefinitionNode)
_EMPTY = re.compile(r"\(\s*,*\s*\)")
Check = Callable[[Case], Awaitable[bool]]


async def shrink(case: Case, differs: Check) -> Case:
    """Cut pieces out of a document, the longest first, as long as `differs` still says yes."""
    trials = 0
    progress = True
    while progress and trials < MAX_TRIALS:
        progress = False
        for start, end in _spans(case.query):
            smaller = _cut(case, start, end)
            trials += 1
            if smaller is not None and await differs(smaller):
                case, progress = smaller, True
                break
            if trials >= MAX_TRIALS:
                break
    return case


class _Collector(Visitor):
    """Collects where the pieces of a document are, what it declares and what it uses."""

    def __init__(self) -> None:
        super().__init__()
        self.spans: list[tuple[int, int]] = []
        self.declared: dict[str, tuple[int, int]] = {}
        self.used: set[str] = set()

    def enter(self, node: Node, *arguments: object) -> None:
        """See graphql-core's visitor."""
        assert node.loc is not None
        span = (node.loc.start, node.loc.end)
        if isinstance(node, _CUT):
            self.spans.append(span)
        if isinstance(node, FragmentDefinitionNode):
            self.declared[f"...{node.name.value}"] = span
        elif isinstance(node, VariableDefinitionNode):
            self.declared[f"${node.variable.name.value}"] = span
        elif isinstance(node, FragmentSpreadNode):
            self.used.add(f"...{node.name.value}")
        elif isinstance(node, VariableNode) and not isinstance(arguments[1], VariableDefinitionNode):
            self.used.add(f"${node.name.value}")


def _collected(query: str) -> _Collector | None:
    collector = _Collector()
    try:
        visit(parse(query), collector)
    except GraphQLError:
        return None
    return collector


def _spans(query: str) -> list[tuple[int, int]]:
    found = _collected(query)
    return sorted(found.spans if found else [], key=lambda span: span[0] - span[1])


def _cut(case: Case, start: int, end: int) -> Case | None:
    """Return the case without a piece and without what nothing needs any more; None when no document is left."""
    query = case.query[:start] + case.query[end:]
    while True:
        query = _EMPTY.sub("", query)
        found = _collected(query)
        if found is None:
            return None
        unused = [span for name, span in found.declared.items() if name not in found.used]
        if not unused:
            break
        query = query[: unused[0][0]] + query[unused[0][1] :]
    kept = {name: value for name, value in case.variables.items() if f"${name}" in found.declared}
    return replace(case, query=query, variables=kept)

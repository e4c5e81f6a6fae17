"""`make coverage-executor`: which fields the compiled executor answers, and which are left to their resolvers."""

import sys
from collections.abc import Iterator
from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema, get_named_type, is_abstract_type

from resolvers.compiled.facts import Answers, fact_of
from tests.client import the_schema
from tests.executor.watched import RESOLVER


def reachable(schema: GraphQLSchema) -> list[GraphQLObjectType]:
    """Return the object types that a query can reach, in the order in which it does."""
    assert schema.query_type is not None
    waiting, seen = [schema.query_type], {schema.query_type.name}
    found: list[GraphQLObjectType] = []
    while waiting:
        found.append(waiting.pop(0))
        for field in found[-1].fields.values():
            inner = get_named_type(field.type)
            kinds = schema.get_possible_types(inner) if is_abstract_type(inner) else [inner]
            for kind in kinds:
                if isinstance(kind, GraphQLObjectType) and kind.name not in seen:
                    seen.add(kind.name)
                    waiting.append(kind)
    return found


def _how(definition: Any) -> str:
    fact = fact_of(definition)
    if fact is None:
        return RESOLVER
    return "rows" if isinstance(fact, Answers) and fact.relation is None else "printed"


def answers_of(schema: GraphQLSchema) -> dict[str, dict[str, str]]:
    """Return how each field of each type that a query can reach is answered: `{type: {field: answer}}`.

    printed    PostgreSQL prints it within its row
    rows       its resolver finds rows, PostgreSQL prints what is selected of them
    page       part of a connection that such a resolver gives
    resolver   every value is the resolvers'
    """
    kinds = reachable(schema)
    how = {kind.name: {name: _how(field) for name, field in kind.fields.items()} for kind in kinds}
    found = {kind.name: dict(how[kind.name]) for kind in kinds}
    for kind in kinds:
        for name, field in kind.fields.items():
            inner = get_named_type(field.type)
            if how[kind.name][name] == "rows" and isinstance(inner, GraphQLObjectType) and "pageInfo" in inner.fields:
                for part in (inner, *(get_named_type(inner.fields[member].type) for member in ("edges", "pageInfo"))):
                    found[part.name] = dict.fromkeys(found[part.name], "page")
    return found


def report(schema: GraphQLSchema) -> Iterator[str]:
    """Yield the lines of the report: each type with its fields by how they are answered, then the totals."""
    totals: dict[str, int] = {}
    for kind, fields in answers_of(schema).items():
        by_answer: dict[str, list[str]] = {}
        for name, answer in fields.items():
            by_answer.setdefault(answer, []).append(name)
            totals[answer] = totals.get(answer, 0) + 1
        yield f"{kind}: {len(fields) - len(by_answer.get(RESOLVER, ()))} of {len(fields)}"
        for answer, names in sorted(by_answer.items()):
            yield f"  {answer:<9} {' '.join(names)}"
    yield "in all: " + ", ".join(f"{number} {answer}" for answer, number in sorted(totals.items()))


def main() -> None:
    """Print the report."""
    sys.stdout.write("\n".join(report(the_schema()._schema)) + "\n")  # noqa: SLF001  graphql-core's schema is inside


if __name__ == "__main__":
    main()

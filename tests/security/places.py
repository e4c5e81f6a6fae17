"""Every place of the schema at which a caller can name a row by its id, and a document that does so."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
)

ROOTS = ("Query", "Mutation", "Subscription")
_SAMPLES: Mapping[str, Any] = {
    "String": "words",
    "Int": 1,
    "Float": 0.5,
    "Boolean": True,
    "URL": "https://example.org/of-the-matrix",
    "EmailAddress": "somebody@example.org",
    "BigInt": "1",
    "DateTime": "2030-01-01T00:00:00Z",
    "UUID": "018f0000-0000-7000-8000-000000000000",
}
Ids = Callable[[str], Any]
"""Gives the value for the id at a path, such as `input.parentId`."""


@dataclass(frozen=True, slots=True)
class Place:
    """One argument or input field that takes an id, or a list of them."""

    root: str
    name: str
    path: str

    def __str__(self) -> str:
        return f"{self.name}.{self.path}"


def places(schema: GraphQLSchema) -> list[Place]:
    """Return every place at the three roots, and those of fields further down as `Type.field`."""
    found = []
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            for name, field in kind.fields.items():
                shown = name if kind.name in ROOTS else f"{kind.name}.{name}"
                found += [Place(kind.name, shown, path) for path in _paths(field.args, ())]
    return found


def document(schema: GraphQLSchema, root: str, name: str) -> str:
    """Return an operation that asks for one root field with all of its arguments as variables."""
    kind = schema.type_map[root]
    assert isinstance(kind, GraphQLObjectType)
    field = kind.fields[name]
    header = ", ".join(f"${key}: {argument.type}" for key, argument in field.args.items())
    given = ", ".join(f"{key}: ${key}" for key in field.args)
    arguments = f"({given})" if given else ""
    shown = selection(field, 2)
    return f"{root.lower()}{f'({header})' if header else ''} {{ {name}{arguments} {shown} }}"


def variables(
    schema: GraphQLSchema, place: Place, ids: Ids, extra: Mapping[str, Any], *, among: list[str] | None = None
) -> dict[str, Any]:
    """Return values for the arguments of a place's field: what is required, the place itself, and `extra` by path.

    A list of ids holds one, or `among` and that one behind them.
    """
    kind = schema.type_map[place.root]
    assert isinstance(kind, GraphQLObjectType)
    return _fill(kind.fields[place.name].args, (), place.path, ids, extra, among or [])


def selection(field: GraphQLField, depth: int) -> str:
    """Return what to select of a field: everything that needs no argument, to a depth."""
    kind = get_named_type(field.type)
    if is_leaf_type(kind):
        return ""
    parts = ["__typename"]
    for name, child in getattr(kind, "fields", {}).items():
        if any(is_required_argument(argument) for argument in child.args.values()):
            continue
        if is_leaf_type(get_named_type(child.type)):
            parts.append(name)
        elif depth > 1 and name != "pageInfo":
            parts.append(f"{name} {selection(child, depth - 1)}")
    return "{ " + " ".join(parts) + " }"


def _paths(fields: Mapping[str, GraphQLArgument | GraphQLInputField], above: tuple[str, ...]) -> Iterator[str]:
    for name, field in fields.items():
        kind = get_named_type(field.type)
        if kind.name == "ID":
            yield ".".join((*above, name))
        elif isinstance(kind, GraphQLInputObjectType) and name not in above:
            yield from _paths(kind.fields, (*above, name))


def _fill(
    fields: Mapping[str, Any],
    above: tuple[str, ...],
    wanted: str,
    ids: Ids,
    extra: Mapping[str, Any],
    among: list[str],
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, field in fields.items():
        path = ".".join((*above, name))
        if path in extra:
            values[name] = extra[path]
        elif path == "first":
            values[name] = 2  # a small page: what a field costs grows with it
        elif wanted == path or wanted.startswith(f"{path}.") or _is_required(field):
            values[name] = _value(field.type, path, wanted, ids, extra, among)
    return values


def _value(kind: GraphQLInputType, path: str, wanted: str, ids: Ids, extra: Mapping[str, Any], among: list[str]) -> Any:
    named = get_named_type(kind)
    if named.name == "ID":
        value: Any = ids(path)
    elif isinstance(named, GraphQLInputObjectType):
        value = _fill(named.fields, tuple(path.split(".")), wanted, ids, extra, among)
    elif isinstance(named, GraphQLEnumType):
        value = next(iter(named.values))
    else:
        value = _SAMPLES[named.name]
    if not is_list_type(get_nullable_type(kind)):
        return value
    return [*among, value] if named.name == "ID" and path == wanted else [value]


def _is_required(field: GraphQLArgument | GraphQLInputField) -> bool:
    """Tell whether a value has to be sent; a variable of a type without null needs one whatever the default is."""
    if isinstance(field, GraphQLArgument):
        return is_required_argument(field) or is_non_null_type(field.type)
    return is_required_input_field(field)


def sample_arguments(schema: GraphQLSchema, root: str, name: str, words: str, ids: Ids) -> dict[str, Any]:
    """Return values for the required arguments of a root field, and a small page; texts are `words`."""
    kind = schema.type_map[root]
    assert isinstance(kind, GraphQLObjectType)
    field = kind.fields[name]
    texts = {key: words for key, argument in field.args.items() if get_named_type(argument.type).name == "String"}
    wanted = {key: value for key, value in texts.items() if is_required_argument(field.args[key])}
    return _fill(field.args, (), "", ids, wanted, [])

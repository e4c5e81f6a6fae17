"""Random valid query operations of any schema: whatever its query type can be asked for, in every notation."""

import random
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
)

from schema.costs import PLAIN_LIST_ITEMS
from tests.executor.arguments import Arguments
from tests.executor.scopes import Scope, Taken

LEFT_OUT = frozenset({"previewImport"})
"""Root fields that cannot be compared: a preview reads a file that no row stands for."""
_WEIGHTS = {"bookmarks": 20, "collections": 9, "tags": 9, "imports": 6, "node": 8, "nodes": 8, "search": 2}
_OTHER_WEIGHT = 3
_LONG = "a_name_longer_than_the_sixty_three_bytes_that_postgresql_keeps_of_one_"
_ODD_NAMES = ("order", "select", "id", "ID", "Id", "title", "node", "nodes", "data", "user", "_", "__x", "null", "true")
_ALIASES = (*_ODD_NAMES, _LONG, _LONG + "1", _LONG + "2", "a", "b", "a0", "b1", "constructor", "f1", "t0", "json", "to")
_MAX_DEPTH, _MAX_ALIASES, _MAX_DIRECTIVES, _MAX_FIELDS = 11, 15, 20, 400
Composite = GraphQLObjectType | GraphQLInterfaceType


@dataclass(frozen=True, slots=True)
class Case:
    """One operation to compare. `asker` is an account's number, or None for an anonymous caller."""

    query: str
    variables: dict[str, Any]
    asker: int | None
    operation_name: str | None = None


@dataclass(slots=True)
class _Fragment:
    name: str
    kind: str
    text: str
    scope: Scope
    times: int
    depth: int
    counts: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a selection set stands: how often its fields are answered, how deep, how large the page around it is."""

    times: int
    depth: int
    page: int = 0


class Builder:
    """Builds one operation."""

    def __init__(self, rng: random.Random, schema: GraphQLSchema, arguments: Arguments) -> None:
        self._rng = rng
        self._schema = schema
        self._arguments = arguments
        self._abstract = frozenset(name for name, kind in schema.type_map.items() if is_abstract_type(kind))
        self._points = rng.choice((60, 200, 200, 600, 600, 1500, 4500))
        self._aliases = self._directives = self._fields = 0
        self._fragments: list[_Fragment] = []

    def build(self) -> tuple[str, str | None]:
        """Return a document, and the name of the operation to run when there are several."""
        body = self._root()
        fragments = [fragment.text for fragment in self._fragments]
        header = self._arguments.variables.header("".join((body, *fragments)))
        name, several = None, self._rng.random() < 0.04
        if several or header or self._rng.random() < 0.5:
            name = "Asked" if several or self._rng.random() < 0.5 else None
            body = f"query{f' {name}' if name else ''}{header} {body}"
        parts = [body, *fragments]
        if several:
            parts.append("query Other { __typename }")
        self._rng.shuffle(parts)
        return "\n".join(parts), name if several else None

    def _root(self) -> str:
        query = self._schema.query_type
        assert query is not None
        names = [name for name in query.fields if name not in LEFT_OUT]
        weights = [_WEIGHTS.get(name, _OTHER_WEIGHT) for name in names]
        scope, place, parts = Scope(self._abstract), _Place(1, 1), list[str]()
        for _ in range(self._rng.choice((1, 1, 1, 1, 2, 2, 3, 6))):
            name = self._rng.choices(names, weights)[0]
            parts.append(self._field(query, name, query.fields[name], scope, place) or "__typename")
        if self._rng.random() < 0.1:
            parts.append(self._typename("Query", scope) or "__typename")
        if self._rng.random() < 0.08:
            parts.append(self._inline(query, scope, place))
        return "{ " + " ".join(part for part in parts if part) + " }"

    def _selections(self, kind: Composite, scope: Scope, place: _Place) -> str:
        """Return a selection set of `kind`, braces included."""
        rng, parts = self._rng, list[str]()
        if isinstance(kind, GraphQLInterfaceType):
            parts += [self._inline(kind, scope, place) for _ in range(rng.randint(0, 3))]
        for name in self._chosen(kind, place):
            part = self._field(kind, name, kind.fields[name], scope, place)
            if part and rng.random() < 0.06:
                part += " " + (self._field(kind, name, kind.fields[name], scope, place) or "")
            parts.append(part)
        for share, make in ((0.15, self._typename_of), (0.15, self._inline), (0.15, self._spread)):
            if rng.random() < share:
                parts.append(make(kind, scope, place))
        shown = [part for part in parts if part] or [self._typename(kind.name, scope) or "__typename"]
        return "{ " + " ".join(shown) + " }"

    def _chosen(self, kind: Composite, place: _Place) -> list[str]:
        names = [name for name in kind.fields if name not in LEFT_OUT]
        if self._rng.random() < 0.1:
            names = [name for name in names if is_leaf_type(get_named_type(kind.fields[name].type))]
        else:
            names = self._rng.sample(names, min(len(names), self._rng.choice((1, 2, 3, 3, 5, 8))))
        if kind.name.endswith("Connection"):
            rows = self._rng.choice((("nodes",), ("nodes",), ("edges",), ("edges",), ("nodes", "edges"), ()))
            names = [*(name for name in names if name not in {"nodes", "edges"}), *rows]
            self._rng.shuffle(names)
        return names if place.depth < _MAX_DEPTH else [name for name in names if not kind.fields[name].args]

    def _field(self, kind: Composite, name: str, field: GraphQLField, scope: Scope, place: _Place) -> str:
        """Return a field with its alias, arguments, directives and selections; nothing when it cannot be afforded."""
        inner = get_named_type(field.type)
        is_leaf = is_leaf_type(inner)
        if self._points < place.times or self._fields >= _MAX_FIELDS or (not is_leaf and place.depth >= _MAX_DEPTH):
            return ""
        mark = self._arguments.variables.mark()
        most = max(1, self._points // place.times // 4)
        text, page = self._arguments.of(kind.name, name, field, most)
        entry = Taken(kind.name, name, text, str(field.type), scope.below())
        key = self._key(name, scope, entry)
        if key is None:
            self._arguments.variables.back(mark)
            return ""
        self._points -= place.times
        self._fields += 1
        below = scope.add(key, entry).below
        shown = (name if key == name else f"{key}: {name}") + text + self._directive()
        if not isinstance(inner, GraphQLObjectType | GraphQLInterfaceType):
            return shown
        return f"{shown} {self._selections(inner, below, self._below(kind, field, place, page))}"

    def _below(self, kind: Composite, field: GraphQLField, place: _Place, page: int) -> _Place:
        times = place.times
        if is_list_type(get_nullable_type(field.type)):
            times *= place.page if kind.name.endswith("Connection") else page or PLAIN_LIST_ITEMS
        return _Place(times, place.depth + 1, page or place.page)

    def _key(self, name: str, scope: Scope, entry: Taken) -> str | None:
        """Return the response name that a field gets; None when all that may still be used are taken."""
        wished = [name] if self._rng.random() < 0.88 else []
        if self._aliases < _MAX_ALIASES:
            wished += [self._rng.choice(_ALIASES), f"k{self._aliases}", f"k{self._aliases}_{self._fields}"]
        for key in wished:
            if scope.admits(key, entry):
                self._aliases += key != name
                return key
        return None

    def _typename(self, kind: str, scope: Scope) -> str:
        entry = Taken(kind, "__typename", "", "String!", scope.below())
        key = self._key("__typename", scope, entry)
        if key is None:
            return ""
        scope.add(key, entry)
        return ("__typename" if key == "__typename" else f"{key}: __typename") + self._directive()

    def _typename_of(self, kind: Composite, scope: Scope, _place: _Place) -> str:
        return self._typename(kind.name, scope)

    def _directive(self) -> str:
        if self._directives >= _MAX_DIRECTIVES or self._rng.random() > 0.04:
            return ""
        self._directives += 1
        return f" @{self._rng.choice(('skip', 'include'))}(if: {self._arguments.flag()})"

    def _conditions(self, kind: Composite) -> list[Composite]:
        if isinstance(kind, GraphQLInterfaceType):
            return [kind, *self._schema.get_possible_types(kind), *self._schema.get_possible_types(kind)]
        return [kind, *kind.interfaces]

    def _inline(self, kind: Composite, scope: Scope, place: _Place) -> str:
        condition = self._rng.choice(self._conditions(kind))
        on = "" if condition is kind and self._rng.random() < 0.5 else f" on {condition.name}"
        return f"...{on}{self._directive()} {self._selections(condition, scope, place)}"

    def _spread(self, kind: Composite, scope: Scope, place: _Place) -> str:
        """Return the spread of a named fragment, a new one or one that is there already."""
        condition = self._rng.choice(self._conditions(kind))
        known = [
            fragment
            for fragment in self._fragments
            if fragment.kind == condition.name and fragment.times >= place.times and fragment.depth >= place.depth
        ]
        if known and self._rng.random() < 0.6:
            fragment = self._rng.choice(known)
            return self._spread_again(fragment, scope)
        return self._spread_new(condition, scope, place)

    def _spread_again(self, fragment: _Fragment, scope: Scope) -> str:
        aliases, directives, fields = fragment.counts
        fits = self._aliases + aliases <= _MAX_ALIASES and self._directives + directives <= _MAX_DIRECTIVES
        if not fits or self._fields + fields > _MAX_FIELDS or not scope.merge(fragment.scope):
            return ""
        self._aliases, self._directives = self._aliases + aliases, self._directives + directives
        self._fields += fields
        return f"...{fragment.name}{self._directive()}"

    def _spread_new(self, condition: Composite, scope: Scope, place: _Place) -> str:
        before = (self._aliases, self._directives, self._fields)
        mark, kept = self._arguments.variables.mark(), len(self._fragments)
        own = scope.below()
        selections = self._selections(condition, own, place)
        if not scope.merge(own):
            self._arguments.variables.back(mark)
            del self._fragments[kept:]
            return ""
        after = (self._aliases, self._directives, self._fields)
        counts = tuple(now - then for now, then in zip(after, before, strict=True))
        name = f"F{len(self._fragments)}"
        text = f"fragment {name} on {condition.name} {selections}"
        fragment = _Fragment(name, condition.name, text, own, place.times, place.depth, counts)  # type: ignore[arg-type]  # three numbers
        self._fragments.append(fragment)
        return f"...{name}{self._directive()}"

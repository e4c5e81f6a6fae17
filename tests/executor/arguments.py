"""Random values for the arguments of any field of the schema, as literals or as variables.

What a value should be is told by its type and by the name of the argument or input field that wants it; a name that is
not known here gets a value of its type, so that new arguments are tried without a change.
"""

import random
from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    get_named_type,
    is_required_argument,
    is_required_input_field,
)

from kit.ids import encode_global_id
from kit.paging import DEFAULT_PAGE
from tests.executor import values
from tests.executor.cursors import SEARCHES, Cursors
from tests.executor.literals import Name, Used, Variables, literal, plain
from tests.executor.world import World

_ORDERS = {
    "BookmarkConnection": "bookmarks:",
    "CollectionConnection": "collections:",
    "TagConnection": "tags:",
    "ImportConnection": "imports",
    "ImportItemConnection": "import-items",
    "UserConnection": "users",
    "UserSessionConnection": "sessions",
    "ApiKeyConnection": "api-keys",
    "SuggestionConnection": "suggestions",
    "LinkCheckConnection": "link-checks",
    "AuditEntryConnection": "audit",
    "InviteConnection": "invites",
    "DuplicateGroupConnection": "duplicates-",
    "RuleConnection": "rules",
    "TaskConnection": "tasks:",
    "TaskBookmarkConnection": "task-bookmarks",
    "TaskMessageConnection": "task-messages",
    "TaskArtifactConnection": "task-artifacts",
}
_WANTED_TYPES = {
    "Query.bookmark": "Bookmark",
    "Query.collection": "Collection",
    "Query.import": "Import",
    "Query.task": "Task",
    "CollectionFilter": "Collection",
    "TagFilter": "Tag",
    "BookmarkFilter": "Collection",
    "SuggestionFilter": "Bookmark",
    "TaskFilter": "Bookmark",
}
_WORDS = {
    "domain": "domain",
    "anyTagNames": "path",
    "allTagNames": "path",
    "Query.tag": "path",
    "urlContains": "url",
    "titleContains": "title",
    "nameContains": "name",
    "pathContains": "tag",
    "prefix": "title",
}
_PAGES = ("first", "last", "after", "before", "orderBy")
_REFUSED_PAGES: tuple[dict[str, Any], ...] = (
    {"first": 0},
    {"first": -1},
    {"first": 101},
    {"last": 0},
    {"first": 1, "last": 1},
    {"first": 2**31 - 1},
)


class Arguments:
    """Draws the arguments of one operation and collects its variables. `refuses` lets some of them be wrong."""

    def __init__(self, rng: random.Random, world: World, cursors: Cursors, asker: int, *, refuses: bool) -> None:
        self.rng = rng
        self.variables = Variables()
        self._world = world
        self._cursors = cursors
        self._asker = asker
        self._refuses = refuses

    def of(self, parent: str, name: str, field: GraphQLField, most: int) -> tuple[str, int]:
        """Return the arguments of a field as text, and the page size that they ask for.

        `most` is the largest page that the operation can still afford.
        """
        if not field.args:
            return "", 0
        connection = str(get_named_type(field.type))
        drawn = self._page(connection, field.args, most) if "first" in field.args else {}
        for key, argument in field.args.items():
            if key not in _PAGES and (is_required_argument(argument) or self.chance(0.4)):
                drawn[key] = self._draw(argument.type, key, f"{parent}.{name}", constant=False)
        self._settle(drawn)
        pages = [drawn[key] for key in ("first", "last") if isinstance(drawn.get(key), int)]
        shown = [
            f"{key}: {literal(self._perhaps_variable(drawn[key], field.args[key].type, key))}"
            for key in sorted(drawn, key=lambda _: self.rng.random())
        ]
        page = min(max(pages[0] if pages else DEFAULT_PAGE, 1), 100)
        return (f"({', '.join(shown)})" if shown else ""), page

    def flag(self) -> str:
        """Return a Boolean for `@skip` and `@include`."""
        value = self.chance(0.5)
        if self.chance(0.5):
            return literal(value)
        return literal(self._variable("Boolean!", value, default=self.chance(0.3)))

    def chance(self, share: float) -> bool:
        """Say yes in so many cases."""
        return self.rng.random() < share

    def _page(self, connection: str, args: Mapping[str, GraphQLArgument], most: int) -> dict[str, Any]:
        rng = self.rng
        if self._refuses and self.chance(0.25):
            return {name: value for name, value in rng.choice(_REFUSED_PAGES).items() if name in args}
        size = min(rng.choice((1, 1, 2, 3, 3, 5, 7, 20, 30, 100)), max(1, most), 100 if "after" in args else 20)
        drawn: dict[str, Any] = {"first": size} if size < DEFAULT_PAGE or self.chance(0.8) else {}
        if "orderBy" in args and self.chance(0.6):
            drawn["orderBy"] = self._draw(args["orderBy"].type, "orderBy", "", constant=False)
        turned = "last" in args and self.chance(0.35)
        if turned and "first" in drawn:
            drawn["last"] = drawn.pop("first")
        if "after" in args and self.chance(0.35):
            self._cursor(connection, drawn, "before" if turned else "after")
        if "after" in args and self.chance(0.05):
            drawn.setdefault("after", None)
        return drawn

    def _cursor(self, connection: str, drawn: dict[str, Any], name: str) -> None:
        prefix = _ORDERS.get(connection, "")
        orders = self._cursors.orders(prefix)
        if connection == "SearchResultConnection":
            orders = [order for order in self._cursors.orders("search:") if order in self._cursors.searches]
            if orders:
                order = self.rng.choice(orders)
                drawn["query"] = self._cursors.searches[order]
                drawn[name] = self._cursors.of(self.rng, order)
            return
        if self._refuses and self.chance(0.6):
            drawn[name] = self._cursors.wrong(self.rng, self.rng.choice(orders or ["bookmarks:ADDED_AT:DESC"]))
        elif orders:
            order = self.rng.choice(orders)
            drawn[name] = self._cursors.of(self.rng, order)
            _, *spelled = order.split(":")
            if spelled:
                drawn["orderBy"] = {"field": Name(spelled[0]), "direction": Name(spelled[1])}

    def _settle(self, drawn: dict[str, Any]) -> None:
        """Let the trash be asked for where an order wants it, unless this is to be refused."""
        order, wanted = drawn.get("orderBy"), drawn.get("filter")
        if isinstance(order, dict) and order.get("field") == Name("DELETED_AT") and not self._refuses:
            drawn["filter"] = {**(wanted if isinstance(wanted, dict) else {}), "inTrash": True}

    def _draw(self, kind: Any, hint: str, place: str, *, constant: bool) -> Any:
        """Return a value for an input type; `constant` forbids variables inside it."""
        rng = self.rng
        if isinstance(kind, GraphQLNonNull):
            return self._draw_value(kind.of_type, hint, place, constant=constant)
        return None if rng.random() < 0.05 else self._draw_value(kind, hint, place, constant=constant)

    def _draw_value(self, kind: Any, hint: str, place: str, *, constant: bool) -> Any:
        rng = self.rng
        if isinstance(kind, GraphQLList):
            if self.chance(0.1):
                return self._draw_value(get_named_type(kind), hint, place, constant=constant)
            size = rng.choice((0, 1, 1, 2, 3)) if hint != "ids" else rng.randint(0, 6)
            return [self._draw(kind.of_type, hint, place, constant=constant) for _ in range(size)]
        if isinstance(kind, GraphQLEnumType):
            return Name(rng.choice(list(kind.values)))
        if isinstance(kind, GraphQLInputObjectType):
            return {
                name: self._input_field(name, field, kind.name, constant=constant)
                for name, field in kind.fields.items()
                if is_required_input_field(field) or rng.random() < 1.5 / len(kind.fields)
            }
        assert isinstance(kind, GraphQLScalarType)
        return self._scalar(kind.name, hint, place)

    def _input_field(self, name: str, field: GraphQLInputField, place: str, *, constant: bool) -> Any:
        value = self._draw(field.type, name, place, constant=constant)
        return value if constant else self._perhaps_variable(value, field.type, name, share=0.15)

    def _scalar(self, kind: str, hint: str, place: str) -> Any:
        rng, words = self.rng, self._world.words
        if kind == "DateTime":
            moment = rng.choice(words["moment"]) if rng.random() < 0.8 else values.edge(rng)
            return moment.isoformat().replace("+00:00", rng.choice(("Z", "+00:00")))
        makers: dict[str, Callable[[], Any]] = {
            "Boolean": lambda: rng.random() < 0.5,
            "Int": lambda: rng.randint(1, 20),
            "Float": lambda: rng.choice(values.REALS),
            "ID": lambda: self._id(place),
            "URL": lambda: rng.choice((*words["url"], "https://example.org/none")),
        }
        return makers.get(kind, lambda: self._word(hint, place))()

    def _word(self, hint: str, place: str) -> str:
        rng = self.rng
        if hint == "query":
            return rng.choice(SEARCHES) if not self._refuses else rng.choice(("(", "a AND", '"x', *SEARCHES))
        word = _WORDS.get(hint) or _WORDS.get(place)
        if word is None or rng.random() < 0.15:
            return values.text(rng)
        found = str(rng.choice(self._world.words[word]))
        if "Contains" in hint or hint == "prefix":
            start = rng.randrange(max(1, len(found) - 3))
            return found[start : start + rng.randint(1, 6)] or "e"
        return rng.choice((found, found, found.upper(), found.title()))

    def _id(self, place: str) -> str:
        """Return an id: mostly of the asker's own, sometimes of others, of nothing, of another type, or malformed."""
        rng, keys = self.rng, self._world.keys
        kind = _WANTED_TYPES.get(place) or rng.choice(list(keys))
        if self._refuses and rng.random() < 0.3:
            wrong = encode_global_id(rng.choice(("Nothing", "User", "ImportUpload", kind)), values.key(rng))
            return rng.choice((wrong, "", "x", wrong[:-2], "é", "QQ==", "1" * 200, str(values.key(rng))))
        chosen = rng.random()
        if chosen < 0.8:
            return encode_global_id(kind, rng.choice(keys[kind][self._asker]))
        if chosen < 0.93:
            return encode_global_id(kind, rng.choice(rng.choice(keys[kind])))
        return encode_global_id(kind, values.key(rng))

    def _perhaps_variable(self, value: Any, kind: Any, hint: str, share: float = 0.25) -> Any:
        if not self.chance(share) or _has_variables(value):
            return value
        if self._refuses and self.chance(0.1) and hint not in {"first", "last"}:
            return self._variable(str(kind), self.rng.choice(("RUNNING", [], {}, 2**40, True)), default=False)
        return self._variable(str(kind), value, default=self.chance(0.25))

    def _variable(self, kind: str, value: Any, *, default: bool) -> Used:
        """Declare a variable: sent, sent although it has a default, left to its default, or null for nothing."""
        name = f"v{len(self.variables.declared)}"
        shown = literal(value) if default else None
        if value is None or not default or self.chance(0.4):
            if value is not None or self.chance(0.5):
                self.variables.sent[name] = plain(value)
        elif kind.endswith("!") and self.chance(0.5):
            kind = kind[:-1]
        if not default and value is not None and not kind.endswith("!") and self.chance(0.3):
            kind += "!"
        if shown is not None and value is None:
            kind, shown = kind.removesuffix("!"), "null"
        self.variables.declared[name] = (kind, shown)
        return Used(name)


def _has_variables(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_variables, value.values()))
    return any(map(_has_variables, value)) if isinstance(value, list) else isinstance(value, Used)

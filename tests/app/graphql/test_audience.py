"""Which subscriptions are shared, and that what they show cannot depend on who of an account looks."""

from dataclasses import replace
from typing import Any

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, get_named_type, is_leaf_type
from strawberry.types.field import StrawberryField

from app.graphql.audience import audience_of
from app.graphql.documents import Prepared
from app.graphql.engine import Engine, Operation, Plan
from kit.ids import new_id
from kit.settings import Settings
from resolvers.live import SHARED
from services.events import cursor_of
from services.permissions import ApiScope, Role, Viewer
from tests.client import the_schema

ADA = Viewer(new_id(), Role.USER, session_id=new_id())
FOLLOW = "subscription Follow($after: String) { bookmarkChanged(after: $after) { cursor } }"
# No field of these looks at the address or the program that asks, nor at the session without saying that it is
# PER_SESSION: see before you add one.
SAME_FOR_ALL = {
    "Agent",
    "AgentSettings",
    "AgentStatusEvent",
    "ApiKey",
    "Bookmark",
    "BookmarkEvent",
    "Category",
    "Collection",
    "LinkCheck",
    "LinkHealth",
    "Page",
    "PageInfo",
    "Quota",
    "Quotas",
    "Screenshot",
    "SimilarBookmark",
    "Spending",
    "SpendingLine",
    "Suggestion",
    "Tag",
    "Task",
    "TaskArtifact",
    "TaskBookmark",
    "TaskEvent",
    "TaskMessage",
    "TaskStep",
    "User",
    "UserSession",
}


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The product's schema."""
    return Engine(the_schema(), Settings())


def plan_of(engine: Engine, query: str, variables: dict[str, Any] | None = None, name: str | None = None) -> Plan:
    prepared: Prepared = engine.documents.prepare(query, is_open=True, named=None)
    assert not prepared.errors, prepared.errors
    return Plan(prepared, prepared.operation(name), Operation(query, name, variables))


def key_of(engine: Engine, query: str, variables: dict[str, Any] | None = None, viewer: Viewer | None = ADA) -> Any:
    """Return the key under which a subscription is shared, None when it is not."""
    audience = audience_of(plan_of(engine, query, variables), viewer, engine.documents.schema)
    return None if audience is None else audience.key


def test_the_cursor_and_the_session_make_no_difference(engine: Engine) -> None:
    key = key_of(engine, FOLLOW)
    assert key is not None
    for variables in ({}, {"after": None}, {"after": cursor_of(3)}, {"other": 7}):
        assert key_of(engine, FOLLOW, variables) == key
    assert key_of(engine, FOLLOW, viewer=Viewer(ADA.id, ADA.role, session_id=new_id())) == key


def test_account_role_document_and_variables_make_one(engine: Engine) -> None:
    query = "subscription ($x: Boolean!) { bookmarkChanged { cursor @include(if: $x) change } }"
    keys = [
        key_of(engine, FOLLOW),
        key_of(engine, FOLLOW, viewer=Viewer(new_id())),
        key_of(engine, FOLLOW, viewer=Viewer(ADA.id, Role.ADMIN)),
        key_of(engine, query, {"x": True}),
        key_of(engine, query, {"x": False}),
        key_of(engine, FOLLOW.replace("cursor", "change")),
    ]
    assert None not in keys
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        (FOLLOW, {"after": "nonsense"}),
        (FOLLOW, {"after": 7}),
        (FOLLOW.replace("String", 'String = "x"'), None),
        ('subscription { bookmarkChanged(after: "x") { cursor } }', None),
        ("subscription { ...F } fragment F on Subscription { bookmarkChanged { cursor } }", None),
        ('subscription { importProgress(importId: "x") { cursor } }', None),
    ],
)
def test_what_is_not_plain_is_not_shared(engine: Engine, query: str, variables: dict[str, Any] | None) -> None:
    assert key_of(engine, query, variables) is None


def test_what_looks_at_the_session_is_shared_with_nobody(engine: Engine) -> None:
    document = "subscription { taskUpdated { task { owner { sessions { nodes { id%s } } } } } }"
    assert key_of(engine, document % "") is not None
    assert key_of(engine, document % " isCurrent") is None


def test_a_key_shares_nothing_with_a_session(engine: Engine) -> None:
    viewers = [replace(ADA, scopes=scopes) for scopes in (None, frozenset({ApiScope.READ}), frozenset(ApiScope))]
    assert len({key_of(engine, FOLLOW, viewer=viewer) for viewer in viewers}) == len(viewers)


def test_an_anonymous_caller_shares_nothing(engine: Engine) -> None:
    assert key_of(engine, FOLLOW, viewer=None) is None


def test_a_plan_behind_an_event_keeps_the_other_variables(engine: Engine) -> None:
    plan = plan_of(engine, FOLLOW, {"after": cursor_of(1), "other": 7})
    audience = audience_of(plan, ADA, engine.documents.schema)
    assert audience is not None
    assert audience.after == cursor_of(1)
    later = audience.plan_behind(plan, 5)
    assert later.operation.variables == {"after": cursor_of(5), "other": 7}
    assert (later.prepared, later.node) == (plan.prepared, plan.node)


def test_shared_events_reach_only_what_is_the_same_for_all_of_an_account(engine: Engine) -> None:
    schema = engine.documents.schema
    assert schema.subscription_type is not None
    shared = [field for field in schema.subscription_type.fields.values() if _is_shared(field)]
    assert shared
    found: set[str] = set()
    for field in shared:
        _reach(schema, get_named_type(field.type), found)
    strangers = {name for name in found if not name.endswith(("Connection", "Edge"))} - SAME_FOR_ALL
    assert strangers == set()


def _is_shared(field: Any) -> bool:
    definition = field.extensions["strawberry-definition"]
    return isinstance(definition, StrawberryField) and SHARED in definition.metadata


def _reach(schema: GraphQLSchema, kind: Any, found: set[str]) -> None:
    if is_leaf_type(kind) or kind.name in found:
        return
    if not isinstance(kind, GraphQLObjectType):
        for possible in schema.get_possible_types(kind):
            _reach(schema, possible, found)
        return
    found.add(kind.name)
    for field in kind.fields.values():
        _reach(schema, get_named_type(field.type), found)

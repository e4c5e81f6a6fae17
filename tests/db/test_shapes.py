"""What shapes select, and what they make of a record."""

from uuid import UUID

import pytest

from db.bookmarks import SOURCE, WHOLE
from db.query import Query
from db.shapes import Gap, Identity, Kind, Member, Printed, Shown, Together, Value

OWNER = UUID(int=7)
TITLE, ADDED = SOURCE.values["title"], SOURCE.values["added_at"]


def test_facts_of_columns_come_from_the_table() -> None:
    assert Value("{row}.title", Kind.TEXT) == TITLE
    assert SOURCE.values["deleted_at"] == Value("{row}.deleted_at", Kind.TIME, is_nullable=True)
    assert SOURCE.values["keywords"].kind is Kind.TEXTS
    assert SOURCE.values["url_key"].kind is Kind.OTHER


def test_a_selection_is_one_object_in_the_order_of_the_response() -> None:
    shape = Printed((Member("b", TITLE), Member("a", Identity("Bookmark")), Member("kind", None, typename="Bookmark")))
    query = Query(OWNER)
    assert shape.columns(query, "b") == (
        '(SELECT row_to_json("the row") FROM (SELECT b.title AS "b", '
        "encode(('Bookmark:' || b.id)::bytea, 'base64') AS \"a\", 'Bookmark'::text AS \"kind\") AS \"the row\")"
    )
    assert shape.row([b'{"b":1}']) == b'{"b":1}'
    assert query.arguments == [OWNER]


def test_a_gap_parts_the_object_and_has_its_columns_beside_it() -> None:
    shape = Printed((Member("a", TITLE), Gap("g"), Member("z", TITLE)), needs=(("added_at", ADDED),))
    assert (shape.width, shape.gaps) == (3, ("g",))
    assert shape.columns(Query(OWNER), "b").endswith(", b.added_at")
    row = shape.row([b'{"a":1}', b'{"z":2}', "then", "beyond"])
    assert isinstance(row, Shown)
    assert (list(row.pieces), row.added_at, row.shape) == ([b'{"a":1}', b'{"z":2}'], "then", shape)
    with pytest.raises(AttributeError, match="title was not read"):
        _ = row.title


def test_several_selections_read_their_own_columns() -> None:
    one, other = Printed((Member("a", TITLE),)), Printed((Gap("g"),), needs=(("added_at", ADDED),))
    both = Together((one, other))
    assert both.width == one.width + other.width
    first, second = both.row([b"1", b"{}", b"{}", "then"])
    assert first == b"1"
    assert isinstance(second, Shown)
    assert second.added_at == "then"
    assert both.is_placed
    assert not Together((Printed((), is_placed=False),)).is_placed


def test_whole_rows_take_their_columns_by_name() -> None:
    columns = WHOLE.columns(Query(OWNER), "x").split(", ")
    assert columns[:3] == ["x.id", "x.owner_id", "x.url"]
    assert len(columns) == WHOLE.width


def test_an_id_of_two_lines_is_refused() -> None:
    Identity("T" * 20)
    with pytest.raises(ValueError, match="at most 20 characters"):
        Identity("T" * 21)

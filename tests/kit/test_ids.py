"""Ids inside and outside."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import BadInput
from kit.ids import decode_global_id, encode_global_id, new_id


def test_ids_are_version_7_and_rise_with_time() -> None:
    made = [new_id() for _ in range(1000)]
    assert {key.version for key in made} == {7}
    assert {key.variant for key in made} == {UUID(int=0x8 << 60).variant}
    assert len(set(made)) == 1000
    stamps = [key.int >> 80 for key in made]
    assert stamps == sorted(stamps)


@given(st.from_regex(r"[A-Z][A-Za-z]{0,30}", fullmatch=True), st.uuids())
def test_a_global_id_says_what_it_was_made_of(type_name: str, key: UUID) -> None:
    assert decode_global_id(encode_global_id(type_name, key)) == (type_name, key)


@given(st.text() | st.binary().map(bytes.hex))
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        decode_global_id(text)


def test_a_flipped_character_is_refused_or_names_another_key() -> None:
    key = new_id()
    good = encode_global_id("Bookmark", key)
    for position in range(len(good)):
        bad = good[:position] + ("A" if good[position] != "A" else "B") + good[position + 1 :]
        try:
            assert decode_global_id(bad) != ("Bookmark", key)
        except BadInput:
            continue


def test_an_id_of_another_type_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match="of type Tag; an id of type Bookmark"):
        decode_global_id(encode_global_id("Tag", new_id()), expected="Bookmark")

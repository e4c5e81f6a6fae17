"""Text that people type, and when two spellings of a tag are one."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import BadInput
from kit.text import MAX_TAG_DEPTH, MAX_TAG_KEY_BYTES, color_of, fold, name_of, one_line, slug_of, storable, tag_path

ANY = st.text(max_size=60)
STORABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)


@pytest.mark.parametrize(
    ("typed", "path", "key"),
    [
        ("Dev", "Dev", "dev"),
        ("  Dev \t Ops ", "Dev Ops", "dev ops"),
        ("a/b", "a/b", "a/b"),
        (" A / B ", "A/B", "a/b"),
        ("/a//b/", "a/b", "a/b"),
        ("a\uff0fb", "a/b", "a/b"),
        ("Stra\u00dfe", "Stra\u00dfe", "strasse"),
        ("\u2105", "\u2105", "c\u2044o"),
        ("e\u0301", "e\u0301", "\u00e9"),
        ("\uff34\uff41\uff47", "\uff34\uff41\uff47", "tag"),
        ("a\x01b", "a b", "a b"),
        ("\u0130", "\u0130", "i\u0307"),
    ],
)
def test_what_a_tag_is_shown_and_known_as(typed: str, path: str, key: str) -> None:
    found = tag_path(typed)
    assert (found.path, found.key) == (path, key)


@given(STORABLE)
def test_a_path_means_itself(text: str) -> None:
    try:
        found = tag_path(text)
    except BadInput:
        return
    assert tag_path(found.path) == found
    assert tag_path(found.key).key == found.key
    assert 1 <= len(found.names) <= MAX_TAG_DEPTH
    assert len(found.key.split("/")) == len(found.names)
    assert len(found.key.encode()) <= MAX_TAG_KEY_BYTES


@given(STORABLE)
def test_case_and_white_space_make_no_difference(text: str) -> None:
    try:
        found = tag_path(text)
    except BadInput:
        return
    assert tag_path(f" {text}\n") == found
    try:
        folded = tag_path(text.casefold())
    except BadInput:  # folding made it too long
        return
    assert folded.key == found.key
    assert found.lineage()[-1] == found
    assert [level.parent for level in found.lineage()] == [None, *found.lineage()[:-1]]


@given(ANY)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert one_line(one_line(text)) == one_line(text)


@given(ANY)
def test_nothing_unstorable_passes(text: str) -> None:
    checks: list[Callable[[], str]] = [
        lambda: storable(text, what="It", max_chars=60),
        lambda: name_of(text, what="It", max_chars=60),
        lambda: tag_path(text).path,
    ]
    for check in checks:
        try:
            passed = check()
        except BadInput:
            continue
        assert "\0" not in passed
        passed.encode()


@pytest.mark.parametrize(("typed", "color"), [("#1E90FF", "#1e90ff"), (" #000000 ", "#000000")])
def test_a_colour(typed: str, color: str) -> None:
    assert color_of(typed) == color


@pytest.mark.parametrize("typed", ["", "red", "#fff", "#12345g", "#1234567", "#\uff11\uff12\uff13\uff14\uff15\uff16"])
def test_no_colour(typed: str) -> None:
    with pytest.raises(BadInput) as refused:
        color_of(typed, field=("input", "color"))
    assert refused.value.field == ("input", "color")


@pytest.mark.parametrize(
    ("name", "slug"), [("Über uns!", "über-uns"), ("--", "untitled"), ("a_b c", "a-b-c"), ("x" * 200, "x" * 80)]
)
def test_a_slug(name: str, slug: str) -> None:
    assert slug_of(name) == slug

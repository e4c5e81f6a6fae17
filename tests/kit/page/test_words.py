"""Counting words, and when two texts are alike."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.page.words import count_words, digest, distance, fingerprint, reading_seconds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("...", 0),
        ("one", 1),
        ("well-known facts aren't rare", 4),
        ("面包师很早就起床", 4),
        ("パンを焼く", 3),
        ("the 面包 shop", 3),
        ("хлеб для города", 3),
        ("빵집은 일찍 문을 연다", 4),
    ],
)
def test_words_are_counted(text: str, words: int) -> None:
    assert count_words(text) == words


def test_time_to_read() -> None:
    assert [reading_seconds(words) for words in (0, 1, 238, 2380)] == [0, 1, 60, 600]


def test_a_text_stays_like_itself_when_little_of_it_changes() -> None:
    random = Random(4)
    words = ["".join(random.choices("abcdefghij", k=6)) for _ in range(600)]
    text = " ".join(words)
    changed = " ".join([*words[:300], "another", *words[301:]])
    other = " ".join("".join(random.choices("abcdefghij", k=6)) for _ in range(600))
    assert distance(fingerprint(text), fingerprint(text.upper())) == 0
    assert distance(fingerprint(text), fingerprint(changed)) <= 4
    assert distance(fingerprint(text), fingerprint(other)) >= 16


def test_white_space_is_no_difference() -> None:
    assert digest("a  b\nc") == digest("a b c")
    assert digest("a b c") != digest("a b d")


@given(st.text(max_size=200))
def test_any_text_has_a_fingerprint(text: str) -> None:
    assert -(2**63) <= fingerprint(text) < 2**63
    assert distance(fingerprint(text), fingerprint(text)) == 0
    assert count_words(text) <= len(text)

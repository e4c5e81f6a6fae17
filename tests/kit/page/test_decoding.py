"""Which encoding a page is in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.page.decoding import decode

RUSSIAN = "Пекарь встаёт рано и печёт хлеб для всего города, пока солнце ещё не взошло. " * 5
GERMAN = "Der Bäcker weiß, daß frühes Aufstehen müde macht. " * 5
JAPANESE = "パン屋は朝早く起きて、太陽が昇る前に町のみんなのためにパンを焼きます。" * 5


@pytest.mark.parametrize(
    ("text", "encoding", "content_type"),
    [
        (GERMAN, "utf-8", None),
        (GERMAN, "utf-8", "text/html; charset=iso-8859-1"),  # Latin-1 fits anything: valid UTF-8 wins
        (GERMAN, "cp1252", "text/html; charset=ISO-8859-1"),
        (GERMAN, "cp1252", "text/html; charset=us-ascii"),
        (GERMAN, "utf-16", None),
        (RUSSIAN, "cp1251", "text/html; charset=windows-1251"),
        (RUSSIAN, "cp1251", "text/html; charset=utf-8"),  # wrong: the bytes are asked
        (RUSSIAN, "cp1251", "text/html; charset=nonsense"),
        (RUSSIAN, "koi8-r", "text/html; charset=koi8-r"),
        (RUSSIAN, "utf-8", "text/html; charset=utf-7"),  # no encoding of the web
        (JAPANESE, "shift_jis", "text/html; charset=Shift_JIS"),
        (JAPANESE, "iso2022_jp", "text/html; charset=iso-2022-jp"),
        (JAPANESE, "euc_jp", "text/html; charset=EUC-JP"),
    ],
)
def test_text_comes_back(text: str, encoding: str, content_type: str | None) -> None:
    assert decode(text.encode(encoding), content_type) == text


def test_the_page_says_it_where_its_server_does_not() -> None:
    page = f'<html><head><meta charset="windows-1251"></head>{RUSSIAN}'
    assert decode(page.encode("cp1251"), "text/html") == page
    assert decode(b"\xef\xbb\xbf" + page.encode(), "text/html; charset=windows-1251") == page


def test_a_body_that_is_cut_in_a_character_and_one_with_a_bad_byte_stay_what_they_are() -> None:
    assert decode(RUSSIAN.encode()[:-3], None) == RUSSIAN[:-3]
    assert decode(RUSSIAN.encode() + b"\xff", "text/html; charset=utf-8") == RUSSIAN + "\ufffd"


@given(st.binary(max_size=300), st.sampled_from([None, "charset=utf-16", "charset=hex", "charset=big5", "charset=hz"]))
def test_no_bytes_are_refused(body: bytes, content_type: str | None) -> None:
    assert isinstance(decode(body, content_type), str)

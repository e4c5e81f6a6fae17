"""URL identity: the 37 published pairs, the policy, refusals, and properties that hold for any text."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kit.urls import KEY_VERSION, MAX_URL_BYTES, MAX_WORDS_CHARS, RefusedUrl, UrlRefusal, identify, url_words

PAIRS = json.loads((Path(__file__).parent.parent / "data" / "url_pairs.json").read_text("utf-8"))["pairs"]

_HOSTS = st.sampled_from(["example.com", "EXAMPLE.com.", "müller.de", "[::1]", "0x7f.1", "youtu.be", "a:b@x.com:8080"])
_PIECES = st.text(st.sampled_from("%2eE7f~aA/.?&=+#:-_ é😀'<>\\|^`!~[]"), max_size=40)
LIKELY_URLS = st.builds("{}://{}{}".format, st.sampled_from(["http", "https", "HTTP"]), _HOSTS, _PIECES)


@pytest.mark.parametrize("pair", PAIRS, ids=[pair["id"] for pair in PAIRS])
def test_published_pairs_merge_exactly_where_silence_is_safe(pair: dict[str, str]) -> None:
    merged = identify(pair["a"]).key == identify(pair["b"]).key
    assert merged is (pair["expect"] == "same" and pair["tier"] != "suggest")


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("http://example.com./a", "https://example.com/a"),
        ("https://example.com/a/?x=1", "https://example.com/a?x=1"),
        ("https://example.com/?&a=1&&b=2&", "https://example.com/?b=2&a=1"),
        ("https://example.com/?UTM_Source=x&GCLID=1", "https://example.com/"),
        ("https://example.com/#part:~:text=a", "https://example.com/#part"),
        ("https://m.youtube.com/watch?v=1&si=abc", "https://m.youtube.com/watch?v=1"),
        ("https://user:pw@example.com.:8080/", "https://user:pw@example.com:8080"),
    ],
)
def test_policy_merges(a: str, b: str) -> None:
    assert identify(a).key == identify(b).key


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("https://shop.example/?si=1", "https://shop.example/"),
        ("https://notyoutube.com/?si=1", "https://notyoutube.com/"),
        ("https://example.com/?ref=1", "https://example.com/"),
        ("https://example.com/a//", "https://example.com/a"),
        ("https://example.com/?a=%2B", "https://example.com/?a=+"),
        ("https://example.com/#utm_source=x&page=2", "https://example.com/"),
        ("http://example.com/%%32%65/x", "http://example.com/x"),
        ("http://example.com:8080/", "http://example.com/"),
    ],
)
def test_policy_keeps_apart(a: str, b: str) -> None:
    assert identify(a).key != identify(b).key


def test_every_form_of_an_address_is_told() -> None:
    found = identify("  HTTP://Bücher.Example.:80/a/%7e/./b?#\n ")
    assert found.original == "HTTP://Bücher.Example.:80/a/%7e/./b?#"
    assert found.canonical == "http://xn--bcher-kva.example./a/~/b"
    assert (found.domain, found.scheme, found.key_version) == ("xn--bcher-kva.example", "http", KEY_VERSION)
    assert len(found.key) == 16


def test_the_key_of_version_one_does_not_change() -> None:
    """Stored keys must stay valid: a change here needs a new KEY_VERSION."""
    assert KEY_VERSION == 1
    found = identify("http://www.example.com/do?c=1&utm_source=x&b=a+b#top")
    assert found.key.hex() == "e76d57affd0db6a50d841a0576039231"


@pytest.mark.parametrize(
    ("url", "reason", "words"),
    [
        ("", UrlRefusal.EMPTY, "empty"),
        (" \t\n\0", UrlRefusal.EMPTY, "empty"),
        ("https://example.com/" + "a" * MAX_URL_BYTES, UrlRefusal.TOO_LONG, "8192 bytes"),
        ("https://example.com/" + "я" * 2000, UrlRefusal.TOO_LONG, "8192 bytes"),
        ("https://example.com/" + "я" * 8000, UrlRefusal.TOO_LONG, "8192 bytes"),
        ("example.com/page", UrlRefusal.INVALID_URL, "complete"),
        ("?lY47tw", UrlRefusal.INVALID_URL, "complete"),
        ("http://[::1/", UrlRefusal.INVALID_URL, "brackets"),
        ("http://a b/", UrlRefusal.INVALID_URL, "host name"),
        ("https://example.com:99999/", UrlRefusal.INVALID_URL, "port"),
        ("https://example.com/\0a", UrlRefusal.INVALID_URL, "NUL"),
        ("https://example.com/\ud800", UrlRefusal.INVALID_URL, "Unicode"),
        ("javascript:alert(1)", UrlRefusal.UNSUPPORTED_SCHEME, "“javascript:”"),
        ("JavaScript://%0aalert(1)", UrlRefusal.UNSUPPORTED_SCHEME, "“javascript:”"),
        ("java\nscript:alert(1)", UrlRefusal.UNSUPPORTED_SCHEME, "“javascript:”"),
        ("data:text/html,x", UrlRefusal.UNSUPPORTED_SCHEME, "“data:”"),
        ("file:///etc/passwd", UrlRefusal.UNSUPPORTED_SCHEME, "“file:”"),
        ("place:sort=8", UrlRefusal.UNSUPPORTED_SCHEME, "“place:”"),
        ("about:config", UrlRefusal.UNSUPPORTED_SCHEME, "“about:”"),
        ("ftp://example.com/", UrlRefusal.UNSUPPORTED_SCHEME, "“ftp:”"),
        ("x" * 100 + ":y", UrlRefusal.UNSUPPORTED_SCHEME, "x…"),
    ],
)
def test_what_cannot_be_opened_is_refused_with_a_code(url: str, reason: UrlRefusal, words: str) -> None:
    with pytest.raises(RefusedUrl) as refused:
        identify(url)
    assert refused.value.reason is reason
    assert words in refused.value.message
    assert refused.value.field == ("url",)


@given(st.one_of(st.text(st.characters(exclude_categories=())), LIKELY_URLS))
@example("http://a/%%32%65")
@example("http://a/%2%65%%34%31")
@example("http://./")
@example("http:///x")
def test_identity_is_stable_or_refused(url: str) -> None:
    try:
        first = identify(url)
    except RefusedUrl:
        return
    again = identify(first.canonical)
    assert (again.canonical, again.key, again.domain) == (first.canonical, first.key, first.domain)
    assert identify(first.original) == first
    assert first.canonical.isascii()
    assert len(first.canonical) <= MAX_URL_BYTES
    assert first.domain


@given(st.one_of(st.text(st.characters(exclude_categories=())), LIKELY_URLS))
@example("https://xn--/")
@example("https://xn--a" + "é" * 3)
def test_words_are_bounded_for_any_text(url: str) -> None:
    words = url_words(url)
    assert len(words) <= MAX_WORDS_CHARS
    assert words.encode().decode() == words
    assert all(word.isalnum() for word in words.split())


def test_words_of_an_address() -> None:
    assert (
        url_words("https://www.example.com:8080/a%20b/c_d-e/a/index.html?x=1#k") == "example com a b c d e index html"
    )
    assert url_words("https://user:secret@xn--mller-kva.de/%E4%BD%A0%FF") == "müller de 你"
    assert url_words("https://example.com/" + "f" * 65) == "example com"
    assert len(url_words("https://example.com/" + "/".join(f"word{n}" for n in range(1000)))) <= MAX_WORDS_CHARS


def test_a_hundred_thousand_addresses_take_seconds_at_most() -> None:
    started = time.process_time()
    for number in range(10_000):
        identify(f"https://site{number % 500}.example.com/article/{number}?id={number}&utm_source=x")
    assert time.process_time() - started < 0.8  # ten times the usual, for slow and busy machines

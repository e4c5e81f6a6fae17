"""One-time codes and recovery codes."""

import base64
import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.crypto import (
    matching_step,
    new_recovery_code,
    new_totp_secret,
    otpauth_uri,
    qr_code_data_url,
    recovery_code_key,
)

# RFC 6238 appendix B, SHA-1: the last six of its eight digits.
RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
RFC_CODES = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]


@pytest.mark.parametrize(("seconds", "code"), RFC_CODES)
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    assert matching_step(RFC_SECRET, code, unix_seconds=seconds) == seconds // 30


STEP = 41152263  # which begins at 1234567890


@pytest.mark.parametrize(
    ("seconds", "step"),
    [
        (-30.001, None),
        (-30, STEP),  # the clock of the phone is a step ahead
        (-0.001, STEP),
        (0, STEP),
        (29.999, STEP),
        (30, STEP),  # a step behind
        (59.999, STEP),
        (60, None),
    ],
)
def test_a_code_is_good_for_its_step_and_one_on_each_side(seconds: float, step: int | None) -> None:
    assert matching_step(RFC_SECRET, "005924", unix_seconds=1234567890 + seconds) == step


@pytest.mark.parametrize("code", ["", "28708", "2870822", "287083", "２８７０８２", "abcdef"])
def test_what_is_not_the_code_fits_no_step(code: str) -> None:
    assert matching_step(RFC_SECRET, code, unix_seconds=59) is None


def test_a_secret_has_160_bits() -> None:
    secrets = {new_totp_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert {len(base64.b32decode(secret)) for secret in secrets} == {20}


def test_an_app_is_told_whose_code_it_is() -> None:
    uri = otpauth_uri("ABC", account="ada+x@example.org", issuer="Graphmark ([::1])")
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert unquote(parts.path) == "/Graphmark ([  1]):ada+x@example.org"
    assert parse_qs(parts.query) == {"secret": ["ABC"], "issuer": ["Graphmark ([  1])"]}


def test_a_qr_code_is_a_picture_in_an_address() -> None:
    url = qr_code_data_url(otpauth_uri("A" * 32, account="ada@example.org", issuer="Graphmark"))
    head, _, picture = url.partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(picture).startswith(b"\x89PNG\r\n")


def test_recovery_codes_have_120_bits_in_groups() -> None:
    codes = {new_recovery_code() for _ in range(100)}
    assert len(codes) == 100
    assert all(re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){5}[0-9A-HJKMNP-TV-Z]{4}", code) for code in codes)


WRITTEN = {char: char + char.lower() for char in "23456789ABCDEFGHJKMNPQRSTVWXYZ"} | {"0": "0oO", "1": "1iIlL"}


@given(
    st.lists(
        st.sampled_from([(char, one) for char, forms in WRITTEN.items() for one in forms]), min_size=24, max_size=24
    )
)
def test_a_code_is_read_as_it_may_be_written(chars: list[tuple[str, str]]) -> None:
    assert recovery_code_key("".join(one for _, one in chars)) == "".join(char for char, _ in chars)


@pytest.mark.parametrize("typed", ["", "0" * 23, "0" * 25, "U" * 24, "0" * 23 + "é", "ı" * 24])
def test_what_is_no_recovery_code_has_no_key(typed: str) -> None:
    assert recovery_code_key(typed) is None

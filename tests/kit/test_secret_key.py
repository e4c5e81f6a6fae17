"""The secret key: where it is kept, what it seals and what it signs."""

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.crypto import KEY_FILE, CannotDecrypt, SecretKey, open_secret_key
from kit.errors import Unavailable
from kit.settings import Settings

KEY = SecretKey("k" * 32)


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_what_is_sealed_opens_again(plain: bytes, bound_to: bytes) -> None:
    sealed = KEY.encrypt("totp", plain, bound_to=bound_to)
    assert KEY.decrypt("totp", sealed, bound_to=bound_to) == plain
    assert len(sealed) == len(plain) + 29
    assert KEY.encrypt("totp", plain, bound_to=bound_to) != sealed


def test_it_opens_with_the_same_key_for_the_same_use_and_row_only() -> None:
    sealed = KEY.encrypt("totp", b"secret", bound_to=b"ada")
    for key, use, bound_to in (
        (SecretKey("K" * 32), "totp", b"ada"),
        (KEY, "mail", b"ada"),
        (KEY, "totp", b"bob"),
    ):
        with pytest.raises(CannotDecrypt):
            key.decrypt(use, sealed, bound_to=bound_to)


@pytest.mark.parametrize("position", [0, 1, 13, 20, -1])
def test_a_changed_byte_opens_nothing(position: int) -> None:
    sealed = bytearray(KEY.encrypt("totp", b"secret"))
    sealed[position] ^= 1
    with pytest.raises(CannotDecrypt):
        KEY.decrypt("totp", bytes(sealed))


@given(st.binary(max_size=40))
def test_what_was_never_sealed_opens_nothing(sealed: bytes) -> None:
    with pytest.raises(CannotDecrypt):
        KEY.decrypt("totp", sealed)


def test_each_use_has_a_key_of_its_own() -> None:
    """The bytes are fixed: another derivation would lose everything that was ever sealed."""
    assert KEY.derive("totp").hex() == "ac8d1b834b9d2a09702548f1498b2126de552575b2cefa7974c644a086a0cd5b"
    assert KEY.derive("mail") != KEY.derive("totp")
    assert len(KEY.derive("totp", 16)) == 16


def test_a_signature_fits_its_message_and_use_only() -> None:
    signature = KEY.sign("state", b"ada")
    assert KEY.is_signed("state", b"ada", signature) is True
    assert KEY.is_signed("state", b"bob", signature) is False
    assert KEY.is_signed("other", b"ada", signature) is False
    assert KEY.is_signed("state", b"ada", signature[:-1]) is False
    assert KEY.is_signed("state", b"ada", b"") is False


def test_it_shows_nothing_of_itself() -> None:
    assert "kkkk" not in repr(KEY)
    assert "kkkk" not in str(KEY)


def test_that_of_the_settings_makes_no_file(tmp_path: Path) -> None:
    given_key = open_secret_key(Settings(data_dir=tmp_path, secret_key="k" * 32))
    assert given_key.derive("totp") == KEY.derive("totp")
    assert list(tmp_path.iterdir()) == []


def test_one_is_made_once_and_is_for_its_user_only(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new")
    first, second = open_secret_key(settings), open_secret_key(settings)
    assert first.derive("totp") == second.derive("totp") != KEY.derive("totp")
    path = settings.data_dir / KEY_FILE
    assert list(settings.data_dir.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_text()) == 44


def test_all_who_start_at_once_get_the_same(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    for _ in range(20):
        with ThreadPoolExecutor(8) as threads:
            keys = list(threads.map(lambda _: open_secret_key(settings).derive("totp"), range(8)))
        assert len(set(keys)) == 1
        assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]
        (tmp_path / KEY_FILE).unlink()


@contextmanager
def refused(reason: str) -> Iterator[None]:
    with pytest.raises(Unavailable, match=reason):
        yield


def test_a_damaged_one_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / KEY_FILE
    for content in (b"", b"short\n", b"\xff" * 40):
        path.write_bytes(content)
        with refused("secret key in"):
            open_secret_key(Settings(data_dir=tmp_path))
        assert path.read_bytes() == content


def test_a_folder_that_takes_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with refused("GRAPHMARK_SECRET_KEY can hold it instead"):
        open_secret_key(Settings(data_dir=tmp_path / "file"))
    (tmp_path / KEY_FILE).mkdir()
    with refused("Is a directory"):
        open_secret_key(Settings(data_dir=tmp_path))

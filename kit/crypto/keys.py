"""The secret key of a server: what must be read again is encrypted with it, what must come back unchanged is signed.

One key is given (`GRAPHMARK_SECRET_KEY`) or made at the first need, in a file of the data folder. Each use has a key of
its own, derived by HKDF (RFC 5869) from that one and the name of the use, so that nothing sealed for one use opens
another.
"""

import hmac
import os
import secrets
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kit.errors import Unavailable
from kit.settings import MIN_KEY_CHARS, Settings

__all__ = ["KEY_FILE", "MIN_KEY_CHARS", "CannotDecrypt", "SecretKey", "open_secret_key"]

KEY_FILE: Final = "secret-key"
_MAX_FILE_BYTES = 10_000
_SALT = b"graphmark"
_KEY_BYTES = 32
_NONCE_BYTES = 12  # NIST SP 800-38D: random ones are good for 2^32 messages of one key
_VERSION = b"\x01"


class CannotDecrypt(Exception):  # noqa: N818  a condition, not a Python programming error
    """What was sealed was sealed with another key, for another use or row, or has been changed."""


class SecretKey:
    """Seals and signs. Shows nothing of itself."""

    __slots__ = ("_material",)

    def __init__(self, text: str) -> None:
        self._material = text.encode()

    def derive(self, use: str, length_bytes: int = _KEY_BYTES) -> bytes:
        """Return the key of one use, such as `"totp"`: always the same, and telling nothing of any other."""
        return HKDF(SHA256(), length_bytes, _SALT, use.encode()).derive(self._material)

    def encrypt(self, use: str, plain: bytes, *, bound_to: bytes = b"") -> bytes:
        """Return `plain` under AES-256-GCM: a byte of version, 12 of nonce, the text and a tag of 16.

        `bound_to` names what it belongs to, such as a row's key; it opens nowhere else.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + nonce + AESGCM(self.derive(use)).encrypt(nonce, plain, bound_to)

    def decrypt(self, use: str, sealed: bytes, *, bound_to: bytes = b"") -> bytes:
        """Return what `encrypt` was given for the same use and the same `bound_to`. Raises `CannotDecrypt`."""
        version, nonce, rest = sealed[:1], sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        if version != _VERSION:
            raise CannotDecrypt
        try:
            return AESGCM(self.derive(use)).decrypt(nonce, rest, bound_to)
        except (InvalidTag, ValueError):
            raise CannotDecrypt from None

    def sign(self, use: str, message: bytes) -> bytes:
        """Return the 32 bytes of HMAC-SHA256 that prove that this server wrote `message` for this use."""
        return hmac.digest(self.derive(use), message, sha256)

    def is_signed(self, use: str, message: bytes, signature: bytes) -> bool:
        """Tell whether `sign` made the signature, in a time that says nothing of it."""
        return hmac.compare_digest(self.sign(use, message), signature)


def open_secret_key(settings: Settings) -> SecretKey:
    """Return the key of the settings, or that in the data folder, which is made when there is none.

    Several processes may ask at once; all get the same. Raises `Unavailable` when a file cannot be read or made.
    """
    if settings.secret_key is not None:
        return SecretKey(settings.secret_key)
    path = settings.data_dir / KEY_FILE
    try:
        if not path.exists():
            _make(path)
        text = path.read_bytes()[:_MAX_FILE_BYTES].decode().strip()
    # os.link has it for systems that cannot link files.
    except (OSError, UnicodeDecodeError, NotImplementedError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise Unavailable(
            f"Cannot keep the secret key in {path}: {reason}. GRAPHMARK_SECRET_KEY can hold it instead."
        ) from error
    if len(text) < MIN_KEY_CHARS:
        raise Unavailable(f"The secret key in {path} is damaged: bring the file back from a backup.")
    return SecretKey(text)


def _make(path: Path) -> None:
    """Write a key of 256 random bits that only this user can read; whoever comes second keeps the first one's.

    It is whole before it has its name, and a link, unlike a renaming, never replaces one that is there.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # readable by this user only
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(_KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()

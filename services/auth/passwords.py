"""What a password must look like (OWASP ASVS 5.0 V6.2, NIST SP 800-63B-4 §3.1.1)."""

from collections.abc import Iterator

from kit.crypto import MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS
from kit.errors import BadInput
from kit.wordlist import comparable, is_common

_PRODUCT = "graphmark"
_FEW_CHARS = 2


def check_password(
    password: str, *, email: str = "", name: str = "", field: tuple[str, ...] = ("input", "password")
) -> None:
    """Raise `BadInput` unless a password is one to choose: `email` and `name` are those of its account.

    It has 8 to 1,024 characters of any kind: there are no rules of composition. It is not among those that leaked most
    often, not made of one or two characters, and not the account's address or name, or this product's.
    """
    if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
        raise BadInput(
            f"A password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS:,} characters; a sentence is a good one.",
            field=field,
        )
    if is_common(password) or len(set(password)) <= _FEW_CHARS:
        raise BadInput(
            "This password is among those that are tried first; take a few words that have nothing to do with each"
            " other, or let a password manager make one.",
            field=field,
        )
    if comparable(password.strip()) in set(_known_of(email, name)):
        raise BadInput("This password is known to whoever knows your name or address; take another one.", field=field)


def _known_of(email: str, name: str) -> Iterator[str]:
    """Yield what is no secret about an account, in the form that passwords are compared in."""
    address, whole = comparable(email.strip()), comparable(" ".join(name.split()))
    yield from (_PRODUCT, address, address.partition("@")[0], address.rpartition("@")[2], whole)
    yield whole.replace(" ", "")

"""Password hashes and tokens."""

import asyncio
import threading

import pytest

from kit.crypto import PasswordHasher, fingerprint, new_token
from kit.errors import RateLimited


async def test_a_hash_fits_its_password_only(passwords: PasswordHasher) -> None:
    encoded = await passwords.hash("correct horse")
    assert encoded.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.verify(encoded, "correct horse") is True
    assert await passwords.verify(encoded, "correct horsf") is False
    assert await passwords.verify(encoded, "") is False
    assert passwords.is_outdated(encoded) is False


async def test_the_same_password_from_two_keyboards_fits(passwords: PasswordHasher) -> None:
    assert await passwords.verify(await passwords.hash("caf\u00e9 and more"), "cafe\u0301 and more") is True


@pytest.mark.parametrize("encoded", [None, "!", "not a hash", "$argon2id$v=19$m=1"])
async def test_no_hash_fits_nothing(passwords: PasswordHasher, encoded: str | None) -> None:
    assert await passwords.verify(encoded, "anything") is False


async def test_hashing_leaves_the_event_loop_free(passwords: PasswordHasher) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0)
            ticks += 1

    ticking = asyncio.create_task(tick())
    await passwords.hash("correct horse")
    ticking.cancel()
    assert ticks > 100


async def test_the_queue_is_bounded_and_opens_again() -> None:
    hasher = PasswordHasher(threads=1, queue=2)
    try:
        outcomes = await asyncio.gather(*(hasher.hash("x" * 8) for _ in range(10)), return_exceptions=True)
        assert sum(isinstance(outcome, str) for outcome in outcomes) == 3
        refused = [outcome for outcome in outcomes if isinstance(outcome, RateLimited)]
        assert [error.retry_after_seconds for error in refused] == [2] * 7
        assert await hasher.verify(await hasher.hash("open again"), "open again") is True
    finally:
        hasher.close()
    assert threading.active_count() < 50


def test_tokens_are_long_random_and_stored_as_fingerprints() -> None:
    tokens = {new_token("gms") for _ in range(100)}
    assert len(tokens) == 100
    assert all(token.startswith("gms_") and len(token) == 47 for token in tokens)
    token = tokens.pop()
    assert len(fingerprint(token)) == 32
    assert fingerprint(token) == fingerprint(token) != fingerprint(token + "x")

"""Who may guess a password or a code now, and who has to wait (NIST SP 800-63B-4 §3.2.2, OWASP ASVS 5.0 6.3.1).

    attempt = await throttle.admit(database, settings, Secret.PASSWORD, email_key, network_address)
    …                                        compare what was given with what is right
    await throttle.passed(database, attempt)     it was right; when it was wrong nothing has to be done

A guess is counted as wrong before it is made, so parallel guesses cannot slip through. The first few are free; then a
pause follows each wrong guess, from seconds to a quarter of an hour, for the account and for the network. During a
pause nobody is told whether a guess was right: it is not looked at. Accounts that do not exist are throttled like those
that do.

Nobody can lock somebody else out: whoever comes from a network from which the account was signed in to in the last
weeks is counted apart, and waits for nothing but wrong guesses from there. Counts lie in PostgreSQL, which a sign-in
needs anyway. So there is one truth, a restart forgets nothing, and while it is away nobody signs in.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

import structlog

from db import throttle as rows
from db.throttle import Rule
from db.unit import Database, Rows
from kit.crypto import fingerprint
from kit.errors import RateLimited
from kit.rates.budgets import network_of
from kit.settings import Settings

log = structlog.get_logger(__name__)
_DAY_SECONDS: Final = 24 * 3_600.0
_NETWORK_SECONDS: Final = 15 * 60.0


class Secret(StrEnum):
    """What is guessed. Each is counted apart."""

    PASSWORD = "PASSWORD"  # noqa: S105  a word for what is guessed
    CODE = "CODE"


class AccountWaits(RateLimited):
    """Guesses at the password of an account wait, or would if it existed, and not only those from a network."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A guess that may be made. `account` and `network` are what it was counted under."""

    account: bytes
    network: bytes | None
    free_of_network: int


async def admit(
    database: Database, settings: Settings, secret: Secret, email_key: str, network_address: str
) -> Attempt:
    """Count a guess and let it be made.

    `email_key` names the account (services.users.email_key), or what was typed in place of one. Raises `RateLimited`
    when it has to wait, with the seconds, `AccountWaits` for the password of an account, and whatever the database
    raises when it is away.
    """
    network = network_of(network_address)
    is_known = network != "" and await rows.is_known(database, email_key, network, days=settings.known_network_days)
    account = _place_key(secret, email_key, network) if is_known else _account_key(secret, email_key)
    try:
        await _count(database, account, _account_rule(settings, secret), secret)
    except RateLimited as error:
        if secret is Secret.CODE:
            raise
        raise AccountWaits(error.message, retry_after_seconds=error.retry_after_seconds) from error
    attempt = Attempt(account, None if is_known else _network_key(network), settings.sign_in_failures_per_network)
    if attempt.network is not None:
        try:
            await _count(database, attempt.network, _network_rule(settings), secret)
        except RateLimited:
            await rows.give_back(database, account, free=_account_rule(settings, secret).free)
            raise
    return attempt


async def passed(database: Rows, attempt: Attempt) -> None:
    """Note that the guess was right: the account begins anew, and its network has one wrong guess less."""
    await rows.forget(database, attempt.account)
    if attempt.network is not None:
        await rows.give_back(database, attempt.network, free=attempt.free_of_network)


async def undone(database: Rows, settings: Settings, secret: Secret, attempt: Attempt) -> None:
    """Note that the guess was not looked at, because something failed: nobody has learnt anything by it."""
    await rows.give_back(database, attempt.account, free=_account_rule(settings, secret).free)
    if attempt.network is not None:
        await rows.give_back(database, attempt.network, free=attempt.free_of_network)


async def signed_in(database: Rows, user_id: UUID, network_address: str) -> None:
    """Remember from where somebody has signed in, every factor included."""
    network = network_of(network_address)
    if network:
        await rows.remember_network(database, user_id, network)


async def forget_networks(database: Rows, user_id: UUID) -> None:
    """Know somebody from nowhere any more: somebody else may have signed in as him."""
    await rows.forget_networks(database, user_id)


async def clear_account(database: Rows, email_key: str) -> bool:
    """Let everybody guess anew who waits for an account, on the operator's word; tell whether somebody waited."""
    networks = await rows.networks_of(database, email_key)
    keys = [_account_key(secret, email_key) for secret in Secret]
    keys += [_place_key(secret, email_key, network) for secret in Secret for network in networks]
    return any([await rows.forget(database, key) for key in keys])


async def clear_network(database: Rows, address: str) -> bool:
    """Let everybody of the network of an address guess anew; tell whether somebody waited."""
    return await rows.forget(database, _network_key(network_of(address.partition("/")[0])))


async def _count(database: Rows, key: bytes, rule: Rule, secret: Secret) -> None:
    wait = math.ceil(await rows.count(database, key, rule))
    if wait > 0:
        log.info("throttle.waits", secret=secret.value, key=key.hex()[:12], seconds=wait)
        raise RateLimited(
            f"There were too many wrong attempts; try again in {wait:,} seconds.", retry_after_seconds=wait
        )


def _account_rule(settings: Settings, secret: Secret) -> Rule:
    is_password = secret is Secret.PASSWORD
    return Rule(
        free=settings.password_failures_per_account if is_password else settings.code_failures_per_account,
        pause_seconds=settings.sign_in_pause_seconds,
        max_pause_seconds=settings.sign_in_max_pause_seconds,
        leak_per_second=0.0,
        memory_seconds=_DAY_SECONDS,
    )


def _network_rule(settings: Settings) -> Rule:
    free = settings.sign_in_failures_per_network
    return Rule(
        free=free,
        pause_seconds=settings.sign_in_pause_seconds,
        max_pause_seconds=settings.sign_in_max_pause_seconds,
        leak_per_second=free / _NETWORK_SECONDS,
        memory_seconds=_NETWORK_SECONDS,
    )


def _account_key(secret: Secret, email_key: str) -> bytes:
    return fingerprint(f"{secret} account {email_key}")


def _place_key(secret: Secret, email_key: str, network: str) -> bytes:
    return fingerprint(f"{secret} place {network} {email_key}")


def _network_key(network: str) -> bytes:
    return fingerprint(f"network {network}")

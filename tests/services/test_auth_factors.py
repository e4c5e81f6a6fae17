"""The second factor: setting it up, signing in with it, switching it off."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from uuid import UUID

import pytest

from db import mail as rows_of_mail
from db import users
from db.unit import Database
from kit.crypto import PasswordHasher
from kit.errors import BadInput, Conflict, Forbidden, GraphmarkError, RateLimited, Unauthenticated, Unavailable
from kit.settings import RequireFactor, Settings
from services import auth, mail
from services.audit import Act, AuditAction
from services.auth import Accounts, Challenge, SignedIn, factors
from services.auth.codes import read_code
from services.permissions import ApiScope
from tests.factors import PASSWORD, PHONE, App, Clock, challenged, enrolled, signed_in, viewer_by
from tests.factors import clock as clock  # noqa: PLC0414  a fixture


@pytest.fixture
def accounts(database: Database, passwords: PasswordHasher, settings: Settings) -> Accounts:
    return Accounts(database, passwords, settings)


async def acts(database: Database) -> list[tuple[str, bool]]:
    """Return what was written down, and whether it succeeded."""
    rows = await database.fetch("SELECT action, succeeded FROM audit_entries ORDER BY seq")
    return [(row["action"], row["succeeded"]) for row in rows]


async def refusal(work: Awaitable[object]) -> tuple[type[GraphmarkError], tuple[str, ...]]:
    """Return how a piece of work is refused."""
    with pytest.raises(GraphmarkError) as refused:
        await work
    return type(refused.value), refused.value.field


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("123456", "123456"),
        (" 123 456 ", "123456"),
        ("123-456\n", "123456"),
        ("１２３４５６", "123456"),
        ("0000-0000-0000-0000-0000-000o", "0" * 24),
        ("abcd efgh jkmn pqrs tvwx yz01", "ABCDEFGHJKMNPQRSTVWXYZ01"),
    ],
)
def test_a_code_is_read_however_it_is_typed(typed: str, text: str) -> None:
    assert read_code(typed).text == text
    assert read_code(typed).is_recovery_code is (len(text) == 24)


@pytest.mark.parametrize(
    "typed", ["", " ", "12345", "1234567", "١٢٣٤٥٦", "12345a", "12.456", "0" * 23, "0" * 25, "0" * 5_000, "\x00" * 6]
)
def test_what_can_be_no_code_is_bad_input(typed: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_code(typed)
    assert refused.value.field == ("input", "code")


async def test_a_second_set_up_replaces_the_first(accounts: Accounts, clock: Clock) -> None:
    viewer = await viewer_by(accounts, (await signed_in(accounts)).token)
    first = await auth.enable(accounts, viewer, password=PASSWORD, device=PHONE)
    second = await auth.enable(accounts, viewer, password=PASSWORD, device=PHONE)
    assert first.secret != second.secret
    old = auth.confirm(accounts, viewer, code=App(first.secret, clock).code(), device=PHONE)
    assert await refusal(old) == (Unauthenticated, ("input", "code"))
    done = await auth.confirm(accounts, viewer, code=App(second.secret, clock).code(), device=PHONE)
    assert len(set(done.recovery_codes)) == 10
    assert done.session is None


async def test_who_has_no_password_and_must_have_a_factor_sets_it_up_after_a_fresh_sign_in(
    accounts: Accounts, clock: Clock
) -> None:
    session = await signed_in(accounts)
    await accounts.database.execute("UPDATE users SET password_hash = NULL")
    strict = replace(accounts, settings=replace(accounts.settings, require_2fa=RequireFactor.ALL))
    viewer = await viewer_by(strict, session.token)
    assert viewer.must_enrol
    enrolment = await auth.enable(strict, viewer, password="", device=PHONE)
    done = await auth.confirm(strict, viewer, code=App(enrolment.secret, clock).code(), device=PHONE)
    assert done.session is not None
    assert not (await viewer_by(strict, done.session.token)).must_enrol


async def test_who_has_no_password_and_signed_in_long_ago_sets_up_nothing(accounts: Accounts) -> None:
    viewer = await viewer_by(accounts, (await signed_in(accounts)).token)
    await accounts.database.execute("UPDATE users SET password_hash = NULL")
    await accounts.database.execute("UPDATE sessions SET authenticated_at = now() - interval '11 minutes'")
    assert await refusal(auth.enable(accounts, viewer, password="", device=PHONE)) == (Forbidden, ())
    key = replace(viewer, session_id=None, scopes=frozenset(ApiScope))
    assert await refusal(auth.enable(accounts, key, password="", device=PHONE)) == (Forbidden, ())
    assert await accounts.database.fetch("SELECT FROM totp_factors") == []


async def test_what_is_on_is_not_set_up_again(accounts: Accounts, clock: Clock) -> None:
    person = await enrolled(accounts, clock)
    assert await refusal(auth.enable(accounts, person.viewer, password=PASSWORD, device=PHONE)) == (Conflict, ())
    again = auth.confirm(accounts, person.viewer, code=person.app.code(), device=PHONE)
    assert await refusal(again) == (Conflict, ())
    assert len(await accounts.database.fetch("SELECT FROM recovery_codes")) == 10


async def test_nothing_is_confirmed_that_was_not_begun_or_long_ago(accounts: Accounts, clock: Clock) -> None:
    viewer = await viewer_by(accounts, (await signed_in(accounts)).token)
    assert await refusal(auth.confirm(accounts, viewer, code="123456", device=PHONE)) == (Conflict, ())
    enrolment = await auth.enable(accounts, viewer, password=PASSWORD, device=PHONE)
    await accounts.database.execute("UPDATE totp_factors SET created_at = created_at - interval '61 minutes'")
    late = auth.confirm(accounts, viewer, code=App(enrolment.secret, clock).code(), device=PHONE)
    assert await refusal(late) == (Conflict, ())


async def test_two_confirmations_at_once_give_codes_once(accounts: Accounts, clock: Clock) -> None:
    viewer = await viewer_by(accounts, (await signed_in(accounts)).token)
    enrolment = await auth.enable(accounts, viewer, password=PASSWORD, device=PHONE)
    code = App(enrolment.secret, clock).code()
    outcomes = await asyncio.gather(
        *(auth.confirm(accounts, viewer, code=code, device=PHONE) for _ in range(4)), return_exceptions=True
    )
    assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 3
    assert len(await accounts.database.fetch("SELECT FROM recovery_codes")) == 10


async def test_guessing_a_pending_secret_is_throttled(accounts: Accounts, clock: Clock) -> None:
    viewer = await viewer_by(accounts, (await signed_in(accounts)).token)
    enrolment = await auth.enable(accounts, viewer, password=PASSWORD, device=PHONE)
    wrong = App(enrolment.secret, clock).code(steps=5)
    told = [(await refusal(auth.confirm(accounts, viewer, code=wrong, device=PHONE)))[0] for _ in range(6)]
    assert told == [Unauthenticated] * 5 + [RateLimited]


async def test_a_wrong_password_sets_up_nothing(accounts: Accounts) -> None:
    viewer = await viewer_by(accounts, (await signed_in(accounts)).token)
    wrong = auth.enable(accounts, viewer, password="wrong wrong", device=PHONE)
    assert await refusal(wrong) == (Unauthenticated, ("input", "password"))
    assert await accounts.database.fetch("SELECT FROM totp_factors") == []
    assert (await acts(accounts.database))[-1] == ("TOTP_ENABLED", False)


async def test_who_signs_in_while_a_factor_is_confirmed_is_asked_for_it(accounts: Accounts, clock: Clock) -> None:
    opened = await signed_in(accounts)
    viewer = await viewer_by(accounts, opened.token)
    enrolment = await auth.enable(accounts, viewer, password=PASSWORD, device=PHONE)
    typed = read_code(App(enrolment.secret, clock).code())
    waiting = """
        SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE NOT granted AND datname = current_database()
    """
    async with accounts.database.unit() as unit:
        assert await factors.confirm(unit, accounts, opened.user, typed, PHONE) is not None
        login = asyncio.create_task(auth.login(accounts, email="ada@example.org", password=PASSWORD, device=PHONE))
        async with asyncio.timeout(20):
            while not await accounts.database.fetchval(waiting):  # noqa: ASYNC110  it happens in the database
                await asyncio.sleep(0.005)
    assert isinstance(await login, Challenge)


async def test_enrolling_ends_the_other_sessions(accounts: Accounts, clock: Clock) -> None:
    other = await signed_in(accounts)
    mine = await auth.login(accounts, email="ada@example.org", password=PASSWORD, device=PHONE)
    assert isinstance(mine, SignedIn)
    viewer = await viewer_by(accounts, mine.token)
    enrolment = await auth.enable(accounts, viewer, password=PASSWORD, device=PHONE)
    await auth.confirm(accounts, viewer, code=App(enrolment.secret, clock).code(), device=PHONE)
    assert await auth.authenticate(accounts.database, accounts.settings, other.token) is None
    assert await auth.authenticate(accounts.database, accounts.settings, mine.token) == viewer


async def test_a_sign_in_is_complete_with_the_code_only(accounts: Accounts, clock: Clock) -> None:
    person = await enrolled(accounts, clock)
    before = await accounts.database.fetchval("SELECT last_login_at FROM users")
    token = await challenged(accounts, person)
    assert await accounts.database.fetchval("SELECT last_login_at FROM users") == before
    done = await auth.verify(accounts, challenge_token=token, code=person.app.code(), device=PHONE)
    assert (await viewer_by(accounts, done.signed_in.token)).id == person.user.id
    assert done.device_token is None
    assert await accounts.database.fetchval("SELECT last_login_at FROM users") > before
    entry = await accounts.database.fetchval("SELECT details->>'factor' FROM audit_entries ORDER BY seq DESC LIMIT 1")
    assert entry == "totp"
    assert await accounts.database.fetch("SELECT FROM login_challenges") == []


async def test_a_challenge_is_good_for_one_session(accounts: Accounts, clock: Clock) -> None:
    person = await enrolled(accounts, clock)
    token = await challenged(accounts, person)
    await auth.verify(accounts, challenge_token=token, code=person.app.code(), device=PHONE)
    clock.next_step()
    again = auth.verify(accounts, challenge_token=token, code=person.app.code(), device=PHONE)
    assert await refusal(again) == (Unauthenticated, ("input", "challengeToken"))


async def test_five_wrong_codes_end_a_challenge(accounts: Accounts, clock: Clock) -> None:
    settings = replace(accounts.settings, code_failures_per_account=100)
    accounts = Accounts(accounts.database, accounts.passwords, settings)
    person = await enrolled(accounts, clock)
    token = await challenged(accounts, person)
    wrong = person.app.code(steps=7)
    told = [
        (await refusal(auth.verify(accounts, challenge_token=token, code=wrong, device=PHONE)))[1] for _ in range(6)
    ]
    assert told == [("input", "code")] * 5 + [("input", "challengeToken")]
    right = auth.verify(accounts, challenge_token=token, code=person.app.code(), device=PHONE)
    assert await refusal(right) == (Unauthenticated, ("input", "challengeToken"))
    another = await challenged(accounts, person)
    await auth.verify(accounts, challenge_token=another, code=person.app.code(), device=PHONE)


async def test_a_guess_that_has_to_wait_costs_no_try(accounts: Accounts, clock: Clock) -> None:
    person = await enrolled(accounts, clock)
    first, second = await challenged(accounts, person), await challenged(accounts, person)
    wrong = person.app.code(steps=7)
    for _ in range(5):
        await refusal(auth.verify(accounts, challenge_token=first, code=wrong, device=PHONE))
    waiting = auth.verify(accounts, challenge_token=second, code=person.app.code(), device=PHONE)
    assert (await refusal(waiting))[0] is RateLimited
    assert await accounts.database.fetchval("SELECT max(tries) FROM login_challenges") == 5
    assert await accounts.database.fetchval("SELECT min(tries) FROM login_challenges") == 0


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE login_challenges SET expires_at = now()",
        "UPDATE users SET password_hash = 'another'",
        "UPDATE users SET password_hash = NULL",
        "UPDATE users SET disabled_at = now()",
        "DELETE FROM login_challenges",
        "DELETE FROM users",
    ],
)
async def test_what_ends_a_challenge(accounts: Accounts, clock: Clock, change: str) -> None:
    person = await enrolled(accounts, clock)
    token = await challenged(accounts, person)
    await accounts.database.execute(change)
    sessions = await accounts.database.fetchval("SELECT count(*) FROM sessions")
    late = auth.verify(accounts, challenge_token=token, code=person.app.code(), device=PHONE)
    assert await refusal(late) == (Unauthenticated, ("input", "challengeToken"))
    assert await accounts.database.fetchval("SELECT count(*) FROM sessions") == sessions


@pytest.mark.parametrize("token", ["", "gmc_unknown", "x" * 100_000, "\x00"])
async def test_an_unknown_challenge_is_no_challenge(accounts: Accounts, token: str) -> None:
    unknown = auth.verify(accounts, challenge_token=token, code="123456", device=PHONE)
    assert await refusal(unknown) == (Unauthenticated, ("input", "challengeToken"))
    assert await acts(accounts.database) == [("SIGNED_IN", False)]


async def test_a_session_token_is_no_challenge(accounts: Accounts, clock: Clock) -> None:
    person = await enrolled(accounts, clock)
    mistaken = auth.verify(accounts, challenge_token=person.session.token, code=person.app.code(), device=PHONE)
    assert await refusal(mistaken) == (Unauthenticated, ("input", "challengeToken"))


async def test_an_app_whose_factor_is_pending_is_asked_for_nothing(accounts: Accounts) -> None:
    viewer = await viewer_by(accounts, (await signed_in(accounts)).token)
    await auth.enable(accounts, viewer, password=PASSWORD, device=PHONE)
    assert isinstance(await auth.login(accounts, email="ada@example.org", password=PASSWORD, device=PHONE), SignedIn)


async def test_a_clock_that_goes_back_opens_nothing_twice(accounts: Accounts, clock: Clock) -> None:
    person = await enrolled(accounts, clock)
    code = person.app.code()
    token = await challenged(accounts, person)
    await auth.verify(accounts, challenge_token=token, code=code, device=PHONE)
    clock.move(-20)
    token = await challenged(accounts, person)
    for used in (code, person.app.code(), person.app.code(steps=-1)):
        replayed = auth.verify(accounts, challenge_token=token, code=used, device=PHONE)
        assert await refusal(replayed) == (Unauthenticated, ("input", "code"))


async def test_disabling_leaves_nothing_behind(accounts: Accounts, clock: Clock) -> None:
    person = await enrolled(accounts, clock)
    waiting = await challenged(accounts, person)
    await auth.disable(accounts, person.viewer, password=PASSWORD, code=person.app.code(), device=PHONE)
    for table in ("totp_factors", "recovery_codes", "login_challenges", "trusted_devices"):
        assert await accounts.database.fetch(f"SELECT FROM {table}") == []
    assert (await acts(accounts.database))[-1] == ("TOTP_DISABLED", True)
    late = auth.verify(accounts, challenge_token=waiting, code=person.recovery_codes[0], device=PHONE)
    assert await refusal(late) == (Unauthenticated, ("input", "challengeToken"))
    again = auth.disable(accounts, person.viewer, password=PASSWORD, code=person.app.code(), device=PHONE)
    assert await refusal(again) == (Conflict, ())
    assert isinstance(await auth.login(accounts, email="ada@example.org", password=PASSWORD, device=PHONE), SignedIn)


async def test_a_lost_key_is_said_and_recovery_codes_still_open(
    accounts: Accounts, clock: Clock, database: Database, passwords: PasswordHasher, settings: Settings
) -> None:
    assert await auth.factors_open(accounts) is None
    person = await enrolled(accounts, clock)
    assert await auth.factors_open(accounts) is True
    moved = Accounts(database, passwords, replace(settings, secret_key="another key of thirty-two characters"))
    assert await auth.factors_open(moved) is False
    token = await challenged(moved, person)
    lost = auth.verify(moved, challenge_token=token, code=person.app.code(), device=PHONE)
    assert await refusal(lost) == (Unavailable, ())
    done = await auth.verify(moved, challenge_token=token, code=person.recovery_codes[0], device=PHONE)
    assert done.signed_in.user.id == person.user.id


async def test_a_reset_ends_every_session_and_asks_for_no_code(accounts: Accounts, clock: Clock) -> None:
    person = await enrolled(accounts, clock)
    bob = await enrolled(accounts, clock, "bob@example.org")
    async with accounts.database.unit() as unit:
        assert await auth.reset_factor(unit, person.user, _reset(person.user.id), key=accounts.secret_key) is True
        assert await auth.reset_factor(unit, person.user, _reset(person.user.id), key=accounts.secret_key) is False
    assert await auth.authenticate(accounts.database, accounts.settings, person.session.token) is None
    assert await auth.authenticate(accounts.database, accounts.settings, bob.session.token) is not None
    assert isinstance(await auth.login(accounts, email="ada@example.org", password=PASSWORD, device=PHONE), SignedIn)
    assert await accounts.database.fetchval("SELECT count(*) FROM recovery_codes") == 10


def _reset(key: UUID) -> Act:
    return Act(AuditAction.TOTP_RESET, None, "operator", subject_id=key)


async def test_every_change_is_told_by_mail(accounts: Accounts, clock: Clock) -> None:
    person = await enrolled(accounts, clock)
    await auth.regenerate(accounts, person.viewer, password=PASSWORD, code=person.app.code(), device=PHONE)
    clock.next_step()
    await auth.disable(accounts, person.viewer, password=PASSWORD, code=person.app.code(), device=PHONE)
    bob = await enrolled(accounts, clock, "bob@example.org")
    async with accounts.database.unit() as unit:
        await auth.reset_factor(unit, bob.user, _reset(bob.user.id), key=accounts.secret_key)
    async with accounts.database.unit() as unit:
        rows = await rows_of_mail.take(unit, limit=10, lease_seconds=60)
    letters = [(row.recipient, mail.opened(accounts.secret_key, row)) for row in rows]
    told = sorted((recipient, letter.paragraphs[0].partition(",")[0]) for recipient, letter in letters)
    assert told == [
        ("ada@example.org", "An authenticator app was set up for your account"),
        ("ada@example.org", "New recovery codes were made for your account; the earlier ones open nothing any more."),
        ("ada@example.org", "The second factor of your account was switched off"),
        ("bob@example.org", "An authenticator app was set up for your account"),
        ("bob@example.org", "The administrator switched off the second factor of your account"),
    ]
    assert not [letter for _, letter in letters if person.app.secret in str(letter)]


async def test_a_trusted_device_is_asked_for_no_code(accounts: Accounts, clock: Clock) -> None:
    person = await enrolled(accounts, clock)
    bob = await enrolled(accounts, clock, "bob@example.org")
    token = await challenged(accounts, person)
    done = await auth.verify(accounts, challenge_token=token, code=person.app.code(), device=PHONE, trust_device=True)
    assert done.device_token is not None

    async def asked(email: str, device_token: str | None) -> bool:
        opened = await auth.login(accounts, email=email, password=PASSWORD, device=PHONE, device_token=device_token)
        return not isinstance(opened, SignedIn)

    assert await asked("ada@example.org", done.device_token) is False
    entry = await accounts.database.fetchval("SELECT details->>'factor' FROM audit_entries ORDER BY seq DESC LIMIT 1")
    assert entry == "trusted_device"
    assert await asked("ada@example.org", None) is True
    assert await asked("ada@example.org", token) is True
    assert await asked("bob@example.org", done.device_token) is True
    assert await auth.authenticate(accounts.database, accounts.settings, done.device_token) is None
    encoded = await accounts.passwords.hash(PASSWORD)
    async with accounts.database.unit() as unit:
        await users.set_password_hash(unit, person.user.id, encoded)
    assert await asked("ada@example.org", done.device_token) is True
    assert bob.user.id != person.user.id


async def test_trust_ends_after_its_days_and_with_the_factor(accounts: Accounts, clock: Clock) -> None:
    person = await enrolled(accounts, clock)
    token = await challenged(accounts, person)
    await auth.verify(accounts, challenge_token=token, code=person.app.code(), device=PHONE, trust_device=True)
    lasts = await accounts.database.fetchval("SELECT (expires_at - created_at)::text FROM trusted_devices")
    assert lasts == "30 days"
    clock.next_step()
    await auth.disable(accounts, person.viewer, password=PASSWORD, code=person.app.code(), device=PHONE)
    assert await accounts.database.fetch("SELECT FROM trusted_devices") == []


async def test_where_a_factor_is_demanded_no_session_outlives_it(accounts: Accounts, clock: Clock) -> None:
    strict = replace(accounts, settings=replace(accounts.settings, require_2fa=RequireFactor.ALL))
    person = await enrolled(accounts, clock)
    clock.next_step()
    await auth.disable(strict, person.viewer, password=PASSWORD, code=person.app.code(), device=PHONE)
    assert await accounts.database.fetch("SELECT FROM sessions WHERE revoked_at IS NULL") == []

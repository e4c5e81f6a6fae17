"""Writing messages down: with the change, encrypted, bounded, and without text that somebody else chose."""

from dataclasses import replace
from typing import Any

import pytest

from db import mail as rows_of
from db.unit import Database
from kit.crypto import CannotDecrypt, SecretKey
from services import mail
from services.mail import MAX_PER_DAY, Letter, letters
from services.mail.programs import program
from tests.make import Maker

KEY = SecretKey("k" * 32)
ORIGIN = "https://links.example.org"
TOKEN = "gmr_secret-of-a-link"


async def fail_after(database: Database, letter: Letter) -> None:
    async with database.unit() as unit:
        assert await mail.queue(unit, KEY, letter) is True
        raise ZeroDivisionError


async def test_a_message_is_written_with_the_change_and_rings_after_it(
    database: Database, make: Maker, rung: Any
) -> None:
    user = await make.user("ada@example.org")
    letter = letters.password_reset(ORIGIN, user, TOKEN, minutes=30)
    with pytest.raises(ZeroDivisionError):
        await fail_after(database, letter)
    assert (await rows_of.tally(database)).waiting == 0
    async with database.unit() as unit:
        await mail.queue(unit, KEY, letter)
        assert rung.bells == []
    assert rung.bells == ["work"]
    row = await database.fetchrow("SELECT *, expires_at - created_at AS life FROM mail_messages")
    assert row is not None
    assert (row["user_id"], row["kind"], row["recipient"], row["state"], row["life"].total_seconds()) == (
        *(user.id, "PASSWORD_RESET", "ada@example.org", "WAITING"),
        1800,
    )
    assert TOKEN not in repr(letter)
    assert TOKEN.encode() not in row["sealed"]


async def test_what_a_message_says_opens_with_the_key_of_the_server_in_its_own_row(
    database: Database, make: Maker
) -> None:
    user = await make.user("ada@example.org")
    async with database.unit() as unit:
        await mail.queue(unit, KEY, letters.email_verification(ORIGIN, user, TOKEN, hours=24))
        await mail.queue(unit, KEY, letters.account_deleted(user))
    first, second = await rows_of.take(database, limit=5, lease_seconds=60)
    letter = mail.opened(KEY, first)
    assert letter.link == f"{ORIGIN}/verify-email?token={TOKEN}"
    assert (letter.to, letter.paragraphs[1]) == ("ada@example.org", "The link works for 24 hours.")
    with pytest.raises(CannotDecrypt):
        mail.opened(SecretKey("K" * 32), first)
    with pytest.raises(CannotDecrypt):
        mail.opened(KEY, replace(second, sealed=first.sealed))


async def test_nobody_drowns_an_account_in_mail(database: Database, make: Maker) -> None:
    ada, bob = await make.user(), await make.user()
    async with database.unit() as unit:
        queued = [await mail.queue(unit, KEY, letters.locked_out(ada, minutes=15)) for _ in range(MAX_PER_DAY + 2)]
        assert queued == [True] * MAX_PER_DAY + [False] * 2
        assert await mail.queue(unit, KEY, letters.locked_out(bob, minutes=15)) is True
        await unit.execute("UPDATE mail_messages SET created_at = now() - interval '25 hours'")
        assert await mail.queue(unit, KEY, letters.locked_out(ada, minutes=15)) is True


async def test_messages_go_with_their_account_but_the_last_one_stays(database: Database, make: Maker) -> None:
    user = await make.user()
    async with database.unit() as unit:
        await mail.queue(unit, KEY, letters.locked_out(user, minutes=15))
        await mail.queue(unit, KEY, letters.account_deleted(user))
        await unit.execute("DELETE FROM users WHERE id = $1", user.id)
    assert [row["kind"] for row in await database.fetch("SELECT kind FROM mail_messages")] == ["ACCOUNT"]


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1", "Safari on iPhone"),
        ("curl/8.5.0", "curl"),
        ("Win a prize at https://evil.example (Windows)", "a program on Windows"),
        ("Click https://evil.example", "a program of another kind"),
        ("", ""),
    ],
)
def test_a_program_is_named_from_a_list(header: str, named: str) -> None:
    assert program(header) == named


async def test_notices_say_when_from_where_and_what_to_do(make: Maker) -> None:
    user = await make.user("ada@example.org")
    lure = "Click https://evil.example"
    letter = letters.new_sign_in(user, network_address="192.0.2.7", user_agent=lure)
    assert letter.paragraphs[1].endswith("UTC. From: a program of another kind, network address 192.0.2.7.")
    assert letter.paragraphs[2].startswith("If this was not you, change your password at once")
    for one in (letter, letters.invitation(ORIGIN, "eve@example.org", TOKEN, hours=24), letters.account_deleted(user)):
        assert isinstance(one, Letter)
        assert lure not in " ".join(one.paragraphs)
        assert user.name not in " ".join(one.paragraphs)

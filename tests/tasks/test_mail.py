"""Sending: at least once, later when it cannot be now, and not for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from db import mail as rows_of
from db.unit import Database
from kit.crypto import SecretKey
from kit.settings import Settings, SmtpSecurity
from kit.smtp import FOLDER, Delivery, open_delivery
from services import mail
from services.mail import letters
from tasks.mail import AT_ONCE, Postman
from tasks.maintenance import jobs
from tests.fakes.mail import HOST, MailServer, mail_server
from tests.faults.processes import until
from tests.make import Maker

KEY = SecretKey("k" * 32)
STATE = "SELECT state, attempt, error, sealed IS NULL AS is_forgotten FROM mail_messages ORDER BY id"


@pytest.fixture
def patient(settings: Settings) -> Settings:
    """Tries again at once, three times."""
    return replace(
        settings,
        smtp_security=SmtpSecurity.NONE,
        smtp_timeout_seconds=5.0,
        mail_max_attempts=3,
        mail_retry_seconds=0.001,
        mail_retry_max_seconds=0.001,
    )


def to(server: MailServer, settings: Settings) -> Settings:
    return replace(settings, smtp_host=HOST, smtp_port=server.port)


def postman(database: Database, settings: Settings, delivery: Delivery | None = None) -> Postman:
    return Postman(database, settings, KEY, delivery or open_delivery(settings))


async def write(database: Database, make: Maker, count: int = 1) -> None:
    """Write messages to as many people."""
    for _ in range(count):
        user = await make.user()
        async with database.unit() as unit:
            await mail.queue(unit, KEY, letters.locked_out(user, minutes=15))


async def fates(database: Database) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await database.fetch(STATE)]


async def test_what_is_due_is_sent_once_and_forgotten(database: Database, patient: Settings, make: Maker) -> None:
    await write(database, make, AT_ONCE + 2)
    async with mail_server() as server:
        two = [postman(database, to(server, patient)) for _ in range(2)]
        assert sum(await asyncio.gather(*(one.send_due() for one in two))) == AT_ONCE + 2
        assert await two[0].send_due() == 0
    assert await fates(database) == [("SENT", 1, None, True)] * (AT_ONCE + 2)
    assert len({message["Message-ID"] for message in server.received}) == len(server.received) == AT_ONCE + 2
    keys = await database.fetch("SELECT id FROM mail_messages")
    assert {message["Message-ID"] for message in server.received} == {f"<{row['id']}@localhost>" for row in keys}


async def test_a_message_comes_again_as_the_same_when_its_sender_dies_before_it_wrote_that_down(
    database: Database, patient: Settings, make: Maker
) -> None:
    await write(database, make)
    async with mail_server() as server:
        dying = postman(database, to(server, patient))
        (taken,) = await rows_of.take(database, limit=1, lease_seconds=3600)
        await dying._hand_over(taken)  # noqa: SLF001  as far as it came
        assert await dying.send_due() == 0
        await database.execute("UPDATE mail_messages SET due_at = now()")
        assert await postman(database, to(server, patient)).send_due() == 1
        assert await rows_of.finish(database, taken, error="too late") is False
        assert await rows_of.postpone(database, taken, seconds=0, error="too late") is False
    first, second = server.received
    assert first.as_bytes() == second.as_bytes() or first["Message-ID"] == second["Message-ID"]
    assert await fates(database) == [("SENT", 2, None, True)]


async def test_a_busy_server_gets_it_later(database: Database, patient: Settings, make: Maker) -> None:
    await write(database, make)
    async with mail_server() as server:
        server.data_answers = ["451 come again"]
        sending = postman(database, to(server, patient))
        assert await sending.send_due() == 1
        assert await fates(database) == [("WAITING", 1, "the message was refused: 451 come again", False)]
        await until(sending.send_due, "it is due again")
    assert len(server.received) == 1
    assert await fates(database) == [("SENT", 2, None, True)]


async def test_an_absent_server_is_given_up_after_a_while(database: Database, patient: Settings, make: Maker) -> None:
    await write(database, make)
    async with mail_server() as server:
        sending = postman(database, to(server, patient))
    for _ in range(3):
        await until(sending.send_due, "it is due again")
    ((state, attempt, error, is_forgotten),) = await fates(database)
    assert (state, attempt, is_forgotten) == ("FAILED", 3, True)
    assert error.startswith("given up after 3 attempts: Error connecting to 127.0.0.1")
    assert await sending.send_due() == 0


async def test_a_recipient_who_is_not_there_is_asked_once(database: Database, patient: Settings, make: Maker) -> None:
    await write(database, make)
    async with mail_server() as server:
        server.recipient_answer = "550 no such mailbox"
        await postman(database, to(server, patient)).send_due()
    assert await fates(database) == [("FAILED", 1, "the recipient was refused: 550 no such mailbox", True)]


async def test_what_nobody_needs_any_more_is_not_sent(database: Database, patient: Settings, make: Maker) -> None:
    await write(database, make, 3)
    first, second, _ = [row["id"] for row in await database.fetch("SELECT id FROM mail_messages ORDER BY id")]
    await database.execute("UPDATE mail_messages SET expires_at = now() WHERE id = $1", first)
    await database.execute("UPDATE mail_messages SET sealed = 'damaged' WHERE id = $1", second)
    await database.execute("UPDATE mail_messages SET attempt = 3 WHERE id <> ALL($1)", [first, second])
    async with mail_server() as server:
        await postman(database, to(server, patient)).send_due()
    assert server.received == []
    assert await fates(database) == [
        ("FAILED", 1, "it was of no use any more", True),
        ("FAILED", 1, "it was encrypted with another secret key", True),
        ("FAILED", 4, "given up after 3 attempts, at whose end the worker ended too", True),
    ]


async def test_a_postman_who_is_stopped_lets_go_of_what_he_holds(
    database: Database, patient: Settings, make: Maker
) -> None:
    await write(database, make)
    async with mail_server() as server:
        server.silence = asyncio.Event()
        sending = asyncio.create_task(postman(database, to(server, patient)).send_due())
        await until(lambda: server.kept_waiting == 1, "the server has it")
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert await fates(database) == [("WAITING", 0, None, False)]


@asynccontextmanager
async def at_work(sending: Postman) -> AsyncIterator[None]:
    running = asyncio.create_task(sending.run())
    try:
        yield
    finally:
        sending.stop()
        async with asyncio.timeout(10):
            await running


async def test_a_postman_is_woken_looks_by_himself_and_survives_a_database_that_is_away(
    database: Database, patient: Settings, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with mail_server() as server:
        sending = postman(database, to(server, patient))
        async with at_work(sending):
            await write(database, make)
            sending.wake()
            await until(lambda: len(server.received) == 1, "it arrived")

        looking = postman(database, to(server, replace(patient, task_sweep_seconds=0.01)))
        failures = [ConnectionResetError(), RuntimeError()]
        take = rows_of.take

        async def taking(*arguments: Any, **options: Any) -> list[rows_of.MessageRow]:
            if failures:
                raise failures.pop()
            return await take(*arguments, **options)

        monkeypatch.setattr(rows_of, "take", taking)
        monkeypatch.setattr("tasks.mail._AFTER_ERROR_SECONDS", 0.01)
        async with at_work(looking):
            await write(database, make)
            await until(lambda: len(server.received) == 2, "it arrived")
    assert failures == []


async def test_without_a_server_messages_are_files(database: Database, patient: Settings, make: Maker) -> None:
    await write(database, make)
    await postman(database, patient).send_due()
    (path,) = (patient.data_dir / FOLDER).iterdir()
    key = await database.fetchval("SELECT id FROM mail_messages")
    assert path.name.endswith(f"-{key}.eml")
    assert await fates(database) == [("SENT", 1, None, True)]


def _new_file(folder: Path) -> None:
    folder.mkdir()
    (folder / "new.eml").touch()


async def test_what_was_sent_long_ago_is_forgotten(database: Database, settings: Settings, make: Maker) -> None:
    await write(database, make, 3)
    old, recent, _ = [row["id"] for row in await database.fetch("SELECT id FROM mail_messages ORDER BY id")]
    done = "UPDATE mail_messages SET state = 'SENT', sealed = NULL, finished_at = now() - $2 * interval '1 day'"
    await database.execute(f"{done} WHERE id = $1", old, 8)
    await database.execute(f"{done} WHERE id = $1", recent, 6)
    _new_file(settings.data_dir / FOLDER)
    (purge,) = [job for job in jobs(settings) if job.name == "purge-mail"]
    async with database.unit() as unit:
        assert await purge.run(unit) == 1
    assert purge.after is not None
    assert await purge.after(database) == 0
    assert await database.fetchval("SELECT count(*) FROM mail_messages WHERE id = $1", old) == 0
    assert await database.fetchval("SELECT count(*) FROM mail_messages") == 2

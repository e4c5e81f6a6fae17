"""Messages: what they look like, and how they are handed to a mail server or a folder."""

import asyncio
import stat
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from kit.errors import BadInput
from kit.settings import Settings, SmtpSecurity, load_settings
from kit.smtp import Delivery, Folder, NotNow, Refused, Smtp, compose, open_delivery, remove_old, sender_of
from tests.fakes.mail import HOST, PASSWORD, USERNAME, MailServer, certificates, mail_server

KEY = UUID("018f0000-0000-7000-8000-000000000001")
SENDER = Address("Graphmark", "links", "example.org")
WRITTEN = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
LINK = "https://links.example.org/reset-password?token=" + "x" * 100


def message(key: UUID = KEY, **changes: Any) -> EmailMessage:
    given: dict[str, Any] = {
        "to": "ada@example.org",
        "subject": "Hello",
        "paragraphs": ["Choose a new <password> with this link:", "It works once."],
        "link": LINK,
        "written_at": WRITTEN,
    }
    return compose(SENDER, key=key, **{**given, **changes})


def read(data: bytes) -> EmailMessage:
    found = message_from_bytes(data, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def part(whole: EmailMessage, kind: str) -> str:
    body = whole.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def test_a_message_is_text_with_an_alternative_and_says_that_a_program_wrote_it() -> None:
    whole = read(message().as_bytes())
    assert dict(whole.items()) | {"Content-Type": "", "MIME-Version": ""} == {
        "From": "Graphmark <links@example.org>",
        "To": "ada@example.org",
        "Subject": "Hello",
        "Date": "Wed, 04 Mar 2026 12:30:00 +0000",
        "Message-ID": f"<{KEY}@example.org>",
        "Auto-Submitted": "auto-generated",
        "Content-Type": "",
        "MIME-Version": "",
    }
    assert part(whole, "plain") == f"Choose a new <password> with this link:\n\n{LINK}\n\nIt works once.\n"
    assert part(whole, "html").splitlines()[2:5] == [
        "<p>Choose a new &lt;password&gt; with this link:</p>",
        f'<p><a href="{LINK}">{LINK}</a></p>',
        "<p>It works once.</p>",
    ]


@pytest.mark.parametrize("subject", ["Hello\r\nBcc: eve@example.org", "Hello\nBcc: eve@example.org"])
def test_a_subject_makes_no_header(subject: str) -> None:
    with pytest.raises(ValueError, match="linefeed"):
        message(subject=subject)


@pytest.mark.parametrize("to", ["ada", "@example.org", "ada@", "ada@example.org\r\nBcc: eve@example.org"])
def test_what_is_no_address_is_refused(to: str) -> None:
    with pytest.raises(ValueError, match=r"address|CR or LF|invalid"):
        message(to=to)


@pytest.mark.parametrize("to", ["a,b@example.org", "a<b>c@example.org", 'a"b@example.org', "a;b@example.org"])
def test_an_odd_address_is_one_recipient(to: str) -> None:
    (address,) = message(to=to)["To"].addresses
    assert (address.username, address.domain) == (to.rpartition("@")[0], "example.org")


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        (Settings(mail_from=SENDER), "Graphmark <links@example.org>"),
        (Settings(base_url="https://links.example.org"), "Graphmark <graphmark@links.example.org>"),
        (Settings(), "Graphmark <graphmark@localhost>"),
        (Settings(base_url="http://[fd00::1]:8000"), "Graphmark <graphmark@localhost>"),
    ],
)
def test_whom_messages_come_from(settings: Settings, shown: str) -> None:
    assert str(sender_of(settings)) == shown


async def test_without_a_server_messages_are_private_files_of_which_the_newest_stay(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "mail"
    delivery = Folder(folder, max_files=2)
    for number in (1, 2, 3):
        await delivery.deliver(message(UUID(int=number), written_at=WRITTEN.replace(second=number)))
    await delivery.deliver(message(UUID(int=3), written_at=WRITTEN.replace(second=3)))
    files = sorted(folder.iterdir())
    assert [path.name for path in files] == [f"20260304T12300{n}Z-{UUID(int=n)}.eml" for n in (2, 3)]
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, *files)] == [0o700, 0o600, 0o600]
    assert LINK in part(read(files[0].read_bytes()), "plain")
    assert remove_old(folder, before=files[0].stat().st_mtime - 1) == 0
    assert remove_old(folder, before=files[1].stat().st_mtime + 1) == 2
    assert list(folder.iterdir()) == []


async def test_a_folder_that_cannot_be_written_may_be_one_day(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("in the way")
    with pytest.raises(NotNow, match="cannot write to"):
        await Folder(tmp_path / "mail", max_files=2).deliver(message())


def to_server(server: MailServer, **changes: Any) -> Settings:
    given: dict[str, Any] = {"smtp_host": HOST, "smtp_port": server.port, "smtp_security": SmtpSecurity.NONE}
    return Settings(**{**given, "mail_from": SENDER, "smtp_timeout_seconds": 5.0, **changes})


async def test_a_server_without_encryption_gets_the_message_as_it_was_written(tmp_path: Path) -> None:
    async with mail_server() as server:
        delivery = open_delivery(to_server(server))
        await delivery.deliver(message(to="a,b@example.org"))
        assert await delivery.check() == f"{HOST}:{server.port} answers, in the clear, without signing in"
    (whole,) = server.received
    assert whole["Message-ID"] == f"<{KEY}@example.org>"
    assert part(whole, "plain").splitlines()[2] == LINK
    assert server.envelopes == [("links@example.org", ['"a,b"@example.org'])]
    assert isinstance(open_delivery(Settings(data_dir=tmp_path)), Folder)


async def test_starttls_and_signing_in() -> None:
    keys = certificates()
    async with mail_server(starttls=keys.server, signs_in=True) as server:
        settings = to_server(
            server, smtp_security=SmtpSecurity.STARTTLS, smtp_username=USERNAME, smtp_password=PASSWORD
        )
        delivery = Smtp(settings, tls=keys.client)
        await delivery.deliver(message())
        assert await delivery.check() == f"{HOST}:{server.port} answers, encrypted, signed in"
        assert (len(server.received), server.was_encrypted, server.sign_ins) == (1, True, 2)
        with pytest.raises(NotNow, match="535") as refused:
            await Smtp(replace(settings, smtp_password="wrong"), tls=keys.client).deliver(message())
        assert not isinstance(refused.value, Refused)
        with pytest.raises(NotNow, match="CERTIFICATE_VERIFY_FAILED"):
            await Smtp(settings).check()


async def test_tls_from_the_start() -> None:
    keys = certificates()
    async with mail_server(tls=keys.server) as server:
        await Smtp(to_server(server, smtp_security=SmtpSecurity.TLS), tls=keys.client).deliver(message())
        assert len(server.received) == 1
        other = certificates("elsewhere.example").client
        with pytest.raises(NotNow, match="CERTIFICATE_VERIFY_FAILED"):
            await Smtp(to_server(server, smtp_security=SmtpSecurity.TLS), tls=other).deliver(message())
        assert len(server.received) == 1


async def test_a_server_without_encryption_gets_nothing_from_whoever_wants_it() -> None:
    async with mail_server() as server:
        settings = to_server(server, smtp_security=SmtpSecurity.STARTTLS, smtp_username=USERNAME, smtp_password="s")
        with pytest.raises(NotNow, match="STARTTLS"):
            await Smtp(settings).deliver(message())
    assert (server.received, server.sign_ins) == ([], 0)


@pytest.mark.parametrize(("code", "kind"), [(450, NotNow), (421, NotNow), (550, Refused), (552, Refused)])
async def test_a_refusal_is_for_now_or_for_ever(code: int, kind: type[NotNow]) -> None:
    async with mail_server() as server:
        delivery = Smtp(to_server(server))
        server.data_answers = [f"{code} not today"]
        with pytest.raises(NotNow, match=f"{code} not today") as data:
            await delivery.deliver(message())
        server.recipient_answer = f"{code} who is that"
        with pytest.raises(NotNow, match=f"{code} who is that") as recipient:
            await delivery.deliver(message())
    assert (type(data.value), type(recipient.value)) == (kind, kind)
    assert server.received == []


async def test_a_server_that_is_away_or_silent_may_answer_one_day() -> None:
    async with mail_server() as server:
        server.silence = asyncio.Event()
        with pytest.raises(NotNow, match="Timed out waiting for server response"):
            await Smtp(to_server(server, smtp_timeout_seconds=0.2)).deliver(message())
        away: Delivery = Smtp(to_server(server))
    with pytest.raises(NotNow, match="Error connecting"):
        await away.deliver(message())
    with pytest.raises(NotNow, match="Error connecting"):
        await away.check()


def test_what_a_server_says_is_one_short_line() -> None:
    assert NotNow("a\r\nb\x1b[31m" + "c" * 500).reason == "a  b [31m" + "c" * 291


MAIL = {"GRAPHMARK_SMTP_HOST": "mail.example.org", "GRAPHMARK_MAIL_FROM": "Links <links@example.org>"}


def test_settings_of_mail() -> None:
    settings = load_settings({**MAIL, "GRAPHMARK_SMTP_PASSWORD": "hidden"})
    assert str(sender_of(settings)) == "Links <links@example.org>"
    assert Smtp(settings).port == 587
    assert "hidden" not in repr(settings)
    assert Smtp(load_settings({**MAIL, "GRAPHMARK_SMTP_SECURITY": "tls"})).port == 465
    assert Smtp(load_settings({**MAIL, "GRAPHMARK_SMTP_SECURITY": "none"})).port == 25
    local = {**MAIL, "GRAPHMARK_SMTP_HOST": "::1", "GRAPHMARK_SMTP_SECURITY": "none", "GRAPHMARK_SMTP_USERNAME": "me"}
    assert load_settings(local).smtp_username == "me"


@pytest.mark.parametrize(
    ("changes", "at_fault"),
    [
        ({"GRAPHMARK_MAIL_FROM": ""}, "GRAPHMARK_MAIL_FROM"),
        ({"GRAPHMARK_MAIL_FROM": "links"}, "GRAPHMARK_MAIL_FROM"),
        ({"GRAPHMARK_MAIL_FROM": "a@b\r\nBcc: c@d"}, "GRAPHMARK_MAIL_FROM"),
        ({"GRAPHMARK_SMTP_PORT": "0"}, "GRAPHMARK_SMTP_PORT"),
        ({"GRAPHMARK_SMTP_SECURITY": "ssl"}, "GRAPHMARK_SMTP_SECURITY"),
        ({"GRAPHMARK_SMTP_SECURITY": "none", "GRAPHMARK_SMTP_PASSWORD": "hidden"}, "GRAPHMARK_SMTP_SECURITY"),
    ],
)
def test_settings_that_would_not_do(changes: dict[str, str], at_fault: str) -> None:
    with pytest.raises(BadInput) as refused:
        load_settings({**MAIL, **changes})
    assert refused.value.field == (at_fault,)
    assert "hidden" not in refused.value.message

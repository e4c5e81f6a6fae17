"""One message as RFC 5322 wants it: plain text with an HTML alternative, marked as written by a program (RFC 3834)."""

from collections.abc import Sequence
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from html import escape
from ipaddress import ip_address
from textwrap import fill
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from kit.settings import Settings

MAX_SUBJECT_CHARS: Final = 150
_LINE_CHARS = 72
_POLICY = policy.SMTP.clone(max_line_length=998)  # a link must stay on one line (RFC 5322 §2.1.1)
_LOCAL_NAME = "graphmark"


def compose(
    sender: Address,
    *,
    key: UUID,
    to: str,
    subject: str,
    paragraphs: Sequence[str],
    link: str | None,
    written_at: datetime,
) -> EmailMessage:
    """Return the message that `key` names: composed again it has the same Message-ID, so that a double is known.

    The local part of an address is quoted where it must be: whoever signs up as `a,b@example.org` is one recipient.
    Raises `ValueError` for a subject with a line break or an address without `@`.
    """
    message = EmailMessage(_POLICY)
    message["From"] = sender
    message["To"] = address_of(to)
    message["Subject"] = subject[:MAX_SUBJECT_CHARS]
    message["Date"] = written_at
    message["Message-ID"] = f"<{key}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    text = [fill(paragraph, _LINE_CHARS, break_long_words=False, break_on_hyphens=False) for paragraph in paragraphs]
    message.set_content("\n\n".join(_with_link(text, link)) + "\n")
    shown = [f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs]
    anchor = None if link is None else f'<p><a href="{escape(link)}">{escape(link)}</a></p>'
    body = "\n".join(_with_link(shown, anchor))
    message.add_alternative(
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"></head><body>\n{body}\n</body></html>\n',
        subtype="html",
    )
    return message


def address_of(text: str, name: str = "") -> Address:
    """Return one address. Raises `ValueError` when it has no `@`, or a line break."""
    local, at, domain = text.rpartition("@")
    if not (local and at and domain):
        raise ValueError("an address has an @ between two parts")
    return Address(name, local, domain)


def sender_of(settings: Settings) -> Address:
    """Return whom messages come from: `GRAPHMARK_MAIL_FROM`, else graphmark@ the host that people reach."""
    if settings.mail_from is not None:
        return settings.mail_from
    host = urlsplit(settings.origin).hostname or "localhost"
    try:
        ip_address(host)
    except ValueError:
        return Address("Graphmark", _LOCAL_NAME, host)
    return Address("Graphmark", _LOCAL_NAME, "localhost")


def _with_link(parts: Sequence[str], link: str | None) -> list[str]:
    """Put the link behind the first part, which says what it does."""
    return [*parts] if link is None else [parts[0], link, *parts[1:]]

"""Which way messages leave this server."""

import ssl
from email.message import EmailMessage
from typing import Protocol

from kit.settings import Settings
from kit.smtp.failures import NotNow, Refused
from kit.smtp.folder import FOLDER, Folder
from kit.smtp.server import Smtp

__all__ = ["Delivery", "NotNow", "Refused", "open_delivery"]


class Delivery(Protocol):
    """Takes messages to where they are passed on."""

    async def deliver(self, message: EmailMessage) -> None:
        """Hand one message over. Raises `NotNow`, or `Refused` when trying again is of no use."""
        ...

    async def check(self) -> str:
        """Say in one line where messages go, having asked without sending one. Raises `NotNow`."""
        ...


def open_delivery(settings: Settings, *, tls: ssl.SSLContext | None = None) -> Delivery:
    """Return the mail server of the settings, or the folder that stands in for one. Holds nothing open."""
    if settings.smtp_host is not None:
        return Smtp(settings, tls=tls)
    return Folder(settings.data_dir / FOLDER, max_files=settings.mail_max_files)

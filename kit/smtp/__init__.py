"""Messages on their way out: composed, and given to a mail server or, where none is set, to a folder."""

from kit.smtp.delivery import Delivery, NotNow, Refused, open_delivery
from kit.smtp.folder import FOLDER, Folder, remove_old, waiting_files
from kit.smtp.message import MAX_SUBJECT_CHARS, compose, sender_of
from kit.smtp.server import Smtp

__all__ = [
    "FOLDER",
    "MAX_SUBJECT_CHARS",
    "Delivery",
    "Folder",
    "NotNow",
    "Refused",
    "Smtp",
    "compose",
    "open_delivery",
    "remove_old",
    "sender_of",
    "waiting_files",
]

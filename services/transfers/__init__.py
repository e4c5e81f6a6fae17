"""Giving all bookmarks of one account to another, as a task of the administrator who asks for it."""

from services.transfers.moving import CHUNK_ROWS, Moved, move_chunk
from services.transfers.starting import KIND, Outlook, finish, of_task, start, tell_stopped

__all__ = ["CHUNK_ROWS", "KIND", "Moved", "Outlook", "finish", "move_chunk", "of_task", "start", "tell_stopped"]

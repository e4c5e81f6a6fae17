"""How handing over a message may fail. The text is for the operator; it never holds what the message says."""

MAX_REASON_CHARS = 300


class NotNow(Exception):  # noqa: N818  a condition, not a Python programming error
    """The server is away, busy or wrongly set up: the same message may be taken later."""

    def __init__(self, reason: str) -> None:
        super().__init__(shown(reason))
        self.reason = shown(reason)


class Refused(NotNow):
    """This message will not be taken, however often it is tried."""


def shown(reason: str) -> str:
    """Return what a server said on one line of at most 300 characters."""
    return "".join(char if char.isprintable() else " " for char in reason[:MAX_REASON_CHARS])

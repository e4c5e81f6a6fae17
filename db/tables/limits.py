"""What limits remember. `known_networks` has a key of two columns, which Piccolo cannot describe."""

from piccolo.columns import Bytea, DoublePrecision, Text, Timestamptz
from piccolo.table import Table


class RateLimit(Table, tablename="rate_limits"):
    """How far into the future a budget has been spent."""

    key = Text(primary_key=True)
    used_until = Timestamptz()


class FailedTry(Table, tablename="failed_tries"):
    """How often something secret was guessed wrongly, and until when nobody may guess again."""

    key = Bytea(primary_key=True)
    failures = DoublePrecision()
    counted_at = Timestamptz()
    blocked_until = Timestamptz()
    forget_at = Timestamptz()

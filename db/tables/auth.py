"""Sessions and one-time tokens. Of a secret only its SHA-256 is here."""

from piccolo.columns import UUID, Bytea, Text, Timestamptz
from piccolo.table import Table


class Session(Table, tablename="sessions"):
    """A signed-in device, until `idle_expires_at` without use, `expires_at` in any case, or `revoked_at`."""

    id = UUID(primary_key=True)
    user_id = UUID()
    token_hash = Bytea()
    user_agent = Text()
    network_address = Text()
    created_at = Timestamptz()
    last_seen_at = Timestamptz()
    idle_expires_at = Timestamptz()
    expires_at = Timestamptz()
    revoked_at = Timestamptz(null=True)


class OneTimeToken(Table, tablename="one_time_tokens"):
    """What can be redeemed once before `expires_at`: a set-up link, an invitation, a password reset."""

    id = UUID(primary_key=True)
    purpose = Text()
    token_hash = Bytea()
    user_id = UUID(null=True)
    created_at = Timestamptz()
    expires_at = Timestamptz()
    used_at = Timestamptz(null=True)


class Identity(Table, tablename="identities"):
    """Who an account is at an identity provider: (`issuer`, `subject`) is one person for ever."""

    id = UUID(primary_key=True)
    user_id = UUID()
    issuer = Text()
    subject = Text()
    created_at = Timestamptz()
    last_used_at = Timestamptz()

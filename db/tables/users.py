"""Accounts."""

from piccolo.columns import UUID, Text, Timestamptz
from piccolo.table import Table


class User(Table, tablename="users"):
    """An account. `email_key` (see services.users) is unique; `password_hash` is argon2id's encoded form or null."""

    id = UUID(primary_key=True)
    email = Text()
    email_key = Text()
    name = Text()
    role = Text()
    password_hash = Text(null=True)
    disabled_at = Timestamptz(null=True)
    email_verified_at = Timestamptz(null=True)
    last_login_at = Timestamptz(null=True)
    deleted_at = Timestamptz(null=True)
    created_at = Timestamptz()
    updated_at = Timestamptz()

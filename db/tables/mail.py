"""Messages on their way out."""

from piccolo.columns import UUID, Bytea, Integer, Text, Timestamptz
from piccolo.table import Table


class MailMessage(Table, tablename="mail_messages"):
    """A message. `sealed` is what it says, encrypted, until it is sent or given up."""

    id = UUID(primary_key=True)
    user_id = UUID(null=True)
    kind = Text()
    recipient = Text()
    sealed = Bytea(null=True)
    state = Text()
    attempt = Integer()
    due_at = Timestamptz()
    expires_at = Timestamptz()
    error = Text(null=True)
    created_at = Timestamptz()
    finished_at = Timestamptz(null=True)

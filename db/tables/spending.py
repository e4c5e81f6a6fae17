"""The ledger of models. `ai_months` has a key of three columns, which Piccolo cannot describe."""

from piccolo.columns import UUID, BigInt, Date, Integer, Text, Timestamptz
from piccolo.table import Table


class AiCall(Table, tablename="ai_calls"):
    """A question to a model: reserved before it is asked, settled with what came of it."""

    id = UUID(primary_key=True)
    owner_id = UUID()
    agent = Text()
    task_id = UUID(null=True)
    bookmarks = Integer()
    model = Text()
    month = Date()
    reserved_tokens = BigInt()
    reserved_microdollars = BigInt()
    input_tokens = BigInt()
    output_tokens = BigInt()
    microdollars = BigInt()
    state = Text()
    created_at = Timestamptz()
    settled_at = Timestamptz(null=True)

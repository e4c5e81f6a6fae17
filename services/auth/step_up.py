"""Step-up: what is hard to undo is done only shortly after a proof of who it is (OWASP ASVS 5.0, 7.5.3)."""

from db import auth as rows_of
from db.unit import Rows
from kit.errors import Forbidden
from services.permissions import WHOLE, Demand, Viewer, admit

RECENT_MINUTES = 10


async def require_recent(rows: Rows, viewer: Viewer, what: str, *, demand: Demand = WHOLE) -> None:
    """Let a viewer pass whose session began, or was confirmed, at most 10 minutes ago; raise `Forbidden` otherwise.

    `what` is the name of the mutation, `demand` what it demands of a viewer who may not do everything. API keys never
    pass. Whoever acts without a session, such as the operator at the command line, has proved more than one could.
    """
    admit(viewer, demand, what)
    if viewer.session_id is None:
        return
    seconds = await rows_of.seconds_since_proof(rows, viewer.session_id)
    if seconds is None or seconds > RECENT_MINUTES * 60:
        raise Forbidden(
            f"`{what}` needs a proof of who you are that is at most {RECENT_MINUTES} minutes old: call"
            " `confirmIdentity(input: {password, code})` first, or sign in again."
        )

"""Step-up: who has proved lately who they are."""

import pytest

from db.unit import Database
from kit.errors import Forbidden
from kit.ids import new_id
from kit.settings import Settings
from services import auth
from services.permissions import ApiScope, Viewer
from tests.make import Maker


async def test_a_proof_holds_for_ten_minutes(database: Database, settings: Settings, make: Maker) -> None:
    viewer = await auth.authenticate(database, settings, await make.session(await make.user()))
    assert viewer is not None
    await auth.require_recent(database, viewer, "setUserRole")
    await database.execute("UPDATE sessions SET authenticated_at = now() - interval '9 minutes 50 seconds'")
    await auth.require_recent(database, viewer, "setUserRole")
    await database.execute("UPDATE sessions SET authenticated_at = now() - interval '10 minutes 1 second'")
    with pytest.raises(Forbidden, match=r"`setUserRole` needs a proof .* `confirmIdentity\(input: "):
        await auth.require_recent(database, viewer, "setUserRole")


async def test_an_ended_session_proves_nothing(database: Database, settings: Settings, make: Maker) -> None:
    viewer = await auth.authenticate(database, settings, await make.session(await make.user()))
    assert viewer is not None
    await database.execute("UPDATE sessions SET revoked_at = now()")
    with pytest.raises(Forbidden, match="needs a proof"):
        await auth.require_recent(database, viewer, "setUserRole")


async def test_no_api_key_is_ever_recent(database: Database) -> None:
    key = Viewer(new_id(), key_id=new_id(), scopes=frozenset(ApiScope))
    with pytest.raises(Forbidden, match="`createApiKey` is not for API keys"):
        await auth.require_recent(database, key, "createApiKey")


async def test_the_operator_needs_no_session(database: Database) -> None:
    await auth.require_recent(database, Viewer(new_id()), "createUser")

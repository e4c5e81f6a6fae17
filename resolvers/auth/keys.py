"""API keys in the graph."""

from typing import Annotated
from uuid import UUID

import strawberry

from db.auth import ApiKeyRow
from db.auth import keys as rows
from db.unit import Unit
from db.users import UserRow
from kit.ids import decode_global_id
from kit.paging import page_request
from resolvers.auth.signing_in import device_of
from resolvers.context import Info, viewer_of
from resolvers.ids import global_ids
from resolvers.inputs.auth import CreateApiKeyInput, RevokeApiKeyInput
from resolvers.mutation import Payload, change
from resolvers.paging import After, Before, ConnectionRows, First, Last, connection
from resolvers.shaped import shape_of
from services.auth import keys

KEY_TYPE = "ApiKey"
KEY_SOURCE = rows.SOURCE
Create = Annotated[CreateApiKeyInput, strawberry.argument(description="What to make.")]
Revoke = Annotated[RevokeApiKeyInput, strawberry.argument(description="Which key.")]


async def keys_of_user(
    root: strawberry.Parent[UserRow],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> ConnectionRows[ApiKeyRow]:
    """Return the API keys of an account, newest first."""
    viewer, database = viewer_of(info), info.context.unwalled
    request = page_request(keys.ORDER, keys.KINDS, first=first, after=after, last=last, before=before)
    placed = await keys.page(database, viewer, root.id, request)
    return connection(request, keys.ORDER, placed, lambda: keys.count(database, viewer, root.id))


async def find_key(info: Info, key: UUID) -> ApiKeyRow | None:
    """Return one API key, if the viewer may see it."""
    return await keys.get(info.context.unwalled, viewer_of(info), key, shape_of(info, KEY_TYPE, rows.WHOLE))


async def create_api_key(info: Info, input: Create) -> Payload:  # noqa: A002  the name of the API
    """Make an API key."""
    viewer, device = viewer_of(info), device_of(info.context)

    async def work(unit: Unit) -> Payload:
        new = await keys.create(
            unit,
            info.context.settings,
            viewer,
            device,
            name=input.name,
            scopes=input.scopes,
            expires_at=input.expires_at,
        )
        return Payload(token=new.token, api_key=new.row)

    return await change(info, work, database=info.context.unwalled)


async def revoke_api_key(info: Info, input: Revoke) -> Payload:  # noqa: A002  the name of the API
    """End an API key."""
    viewer, device = viewer_of(info), device_of(info.context)

    async def work(unit: Unit) -> Payload:
        _, key = decode_global_id(input.id, expected=KEY_TYPE, field=("input", "id"))
        row = await keys.revoke(unit, viewer, device, key)
        return Payload(revoked_id=global_ids(KEY_TYPE, [row.id])[0])

    return await change(info, work, database=info.context.unwalled)

"""`/screenshots/ID.png`: the pictures of pages, each for its owner only."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, get
from litestar.exceptions import NotAuthorizedException, NotFoundException, PermissionDeniedException
from litestar.params import FromPath

from app.graphql.callers import Authenticate, Headers, identify
from kit.errors import Forbidden, NotFound, Unauthenticated
from resolvers.context import Services
from services import screenshots
from services.permissions import ApiScope, Demand, admit

_HEADERS = {
    "cache-control": "private, max-age=86400",  # another picture has another address
    "vary": "authorization, cookie",
}


@get("/screenshots/{name:str}", include_in_schema=False)
async def screenshot(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """Give a picture to its owner, who proves himself as at `/graphql`. Somebody else's is not there."""
    services: Services = request.app.state.services
    authenticate: Authenticate = request.app.state.authenticate
    try:
        caller = await identify(Headers(request.scope), authenticate, services.settings)
        if caller.viewer is None:
            raise Unauthenticated("Sign in to see your pictures.")
        admit(caller.viewer, Demand(ApiScope.READ), "screenshots")
        png = await screenshots.png_of(services.database.of(caller.viewer.id), caller.viewer, _key(name))
    except Unauthenticated as error:
        raise NotAuthorizedException(error.message) from error
    except Forbidden as error:
        raise PermissionDeniedException(error.message) from error
    except NotFound as error:
        raise NotFoundException(error.message) from error
    return Response(png, media_type="image/png", headers=_HEADERS)


def _key(name: str) -> UUID:
    try:
        return UUID(name.removesuffix(".png"))
    except ValueError:
        raise NotFound("There is no such picture.") from None

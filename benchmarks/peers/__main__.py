"""`python -m benchmarks.peers setup`: install the peers that come from npm."""

import sys

from benchmarks.peers import node


def main() -> int:
    """0 when everything is installed, 1 when something is not to be had, 2 for wrong usage."""
    if sys.argv[1:] != ["setup"]:
        print("usage: python -m benchmarks.peers setup", file=sys.stderr)
        return 2
    return 0 if node.install() else 1


if __name__ == "__main__":
    sys.exit(main())

"""What a test needs from the machine: skipped with its reason, or a failure where `GRAPHMARK_REQUIRE` names it.

`GRAPHMARK_REQUIRE=redis,browser,node` is what CI sets, so that nothing is skipped there unnoticed.
"""

import os
import shutil
from typing import NoReturn

import pytest


def missing(what: str, reason: str) -> NoReturn:
    """Skip the running test because `what` is not to be had; fail instead where it is required."""
    if what in os.environ.get("GRAPHMARK_REQUIRE", "").split(","):
        pytest.fail(f"GRAPHMARK_REQUIRE names {what}, but {reason}")
    pytest.skip(reason)


def program(what: str, *names: str) -> str:
    """Return the path of the first of the programs `names` that is installed, or see `missing`."""
    for name in names:
        found = shutil.which(name)
        if found is not None:
            return found
    missing(what, f"none of {', '.join(names)} is on PATH")

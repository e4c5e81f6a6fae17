"""Asks whether a package in the lock files has a known weakness: `audit.py`, part of `make check`.

Names and versions, nothing else, go to OSV (https://osv.dev), which gathers the advisories of PyPA, GitHub and npm.
Whoever has no network is told so in one line, and the check passes: it is about the world, not about the change. A
weakness fails it, unless pyproject.toml excuses it under [tool.graphmark.audit] with a reason and a last day.
"""

import json
import os
import re
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a script

from tools.console import ROOT, say

SERVICE = "https://api.osv.dev/v1/querybatch"
SERVICE_VARIABLE = "GRAPHMARK_AUDIT_SERVICE"
SECONDS = 10.0
BATCH = 500
MAX_ANSWER_BYTES = 20_000_000
NPM_LOCKS = ("web/package-lock.json", "tests/conformance/package-lock.json", "benchmarks/peers/package-lock.json")
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """A version in a lock file."""

    ecosystem: str
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Excuse:
    """Why an advisory does not concern this project, and until when that was thought."""

    advisory: str
    reason: str
    until: date


class NoAnswerError(Exception):
    """The service cannot be reached, or says nothing that can be understood."""


def main() -> int:
    """Return 0 when nothing is known against any package or nobody can be asked, 1 otherwise."""
    excused = {excuse.advisory: excuse for excuse in excuses(ROOT / "pyproject.toml")}
    old = [excuse for excuse in excused.values() if excuse.until < datetime.now(UTC).date()]
    for excuse in old:
        say(f"audit: the excuse for {excuse.advisory} ended on {excuse.until}: {excuse.reason}")
    try:
        found = weaknesses(sorted(locked(ROOT)), os.environ.get(SERVICE_VARIABLE, SERVICE))
    except NoAnswerError as error:
        say(f"audit: nobody to ask, so nothing was checked: {error}")
        return 1 if old else 0
    bad = [(package, advisory) for package, advisory in found if advisory not in excused]
    for package, advisory in bad:
        say(f"audit: {package.name} {package.version} ({package.ecosystem}): https://osv.dev/vulnerability/{advisory}")
    return 1 if bad or old else 0


def locked(root: Path) -> Iterator[Package]:
    """Yield every package of the lock files."""
    for name, version in _PINNED.findall((root / "requirements.txt").read_text()):
        yield Package("PyPI", name, version)
    for path in NPM_LOCKS:
        packages: dict[str, Any] = json.loads((root / path).read_text())["packages"]
        for place, entry in packages.items():
            if place and "version" in entry:
                yield Package("npm", entry.get("name") or place.rpartition("node_modules/")[2], entry["version"])


def excuses(path: Path) -> list[Excuse]:
    """Return the advisories that are known and accepted."""
    table = tomllib.loads(path.read_text()).get("tool", {}).get("graphmark", {}).get("audit", {})
    return [Excuse(advisory, entry["reason"], entry["until"]) for advisory, entry in table.items()]


def weaknesses(packages: Iterable[Package], service: str) -> list[tuple[Package, str]]:
    """Return which advisories name which of the packages. Raises `NoAnswerError`."""
    unique = list(dict.fromkeys(packages))
    found = []
    for begin in range(0, len(unique), BATCH):
        batch = unique[begin : begin + BATCH]
        for package, result in zip(batch, _asked(batch, service), strict=True):
            found += [(package, str(advisory["id"])) for advisory in (result or {}).get("vulns", [])]
    return found


def _asked(batch: list[Package], service: str) -> list[Any]:
    queries = [{"package": {"name": one.name, "ecosystem": one.ecosystem}, "version": one.version} for one in batch]
    request = urllib.request.Request(  # noqa: S310  the operator's word or https, above
        service, json.dumps({"queries": queries}).encode(), {"content-type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310  as above
            results = json.loads(answer.read(MAX_ANSWER_BYTES))["results"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoAnswerError(getattr(error, "reason", None) or repr(error)) from error
    if not isinstance(results, list) or len(results) != len(batch):
        raise NoAnswerError(f"{len(batch)} packages were asked for, and the answer is about others")
    return results


if __name__ == "__main__":
    sys.exit(main())

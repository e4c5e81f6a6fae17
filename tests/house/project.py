"""What the rules look at: the tracked files of the checkout and the modules of the layers."""

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("app", "schema", "resolvers", "tasks", "services", "db", "kit")
DOMAINS = frozenset(
    {
        *("auth", "users", "bookmarks", "collections", "tags", "imports", "search", "validation", "enrichment"),
        *("categorization", "embedding", "agents", "logs", "stats", "executions", "admin", "webhooks", "rules"),
        *("exports", "backups", "notifications", "screenshots", "spending", "audit", "mail"),
        *("limits", "throttle", "quotas", "transfers"),
    }
)
# Names that are no domain: what a layer needs for itself.
INFRASTRUCTURE = {
    "schema": {"root", "scalars", "directives", "paging", "errors", "node", "limits", "costs", "server", "demands"},
    "resolvers": {
        *("context", "ids", "loaders", "mutation", "inputs", "paging", "node", "guards", "server"),
        *("shaped", "compiled", "live"),
    },
    "resolvers/inputs": {"paging", "enums", "scalars", "server"},
    "services": {"permissions", "events", "idempotency", "batches"},
    "tasks": {
        *("broker", "ringer", "schedule", "maintenance", "agent"),
        *("orchestrator", "pace", "envelope", "job", "together"),
    },
    "db": {
        *("tables", "migrations", "migrate", "unit", "vectors", "events", "idempotency", "piccolo_app"),
        *("connections", "query", "shapes", "wall"),
    },
    "db/tables": {"events", "idempotency"},
    "kit": {
        *("settings", "errors", "urls", "fetch", "page", "ai", "bus", "crypto", "logger", "redaction", "clock", "ids"),
        "paging",
        *("postgres", "rates", "turns", "uploads", "text", "browser", "product", "cron", "oidc"),
        *("smtp", "wordlist", "choices", "user_agents"),
    },
}
_TEXT = frozenset(
    {
        ".py",
        ".ts",
        ".tsx",
        ".css",
        ".html",
        ".md",
        ".toml",
        ".yml",
        ".yaml",
        ".json",
        ".txt",
        ".graphql",
        ".sql",
        ".mjs",
    }
)
_GIT_SECONDS = 30


@cache
def tracked_files() -> tuple[Path, ...]:
    """Every file that git tracks or would track, relative to the root: what a fresh clone shows tomorrow."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=_GIT_SECONDS)  # noqa: S603  fixed words
    names = (Path(name) for name in done.stdout.decode().split("\0") if name)
    return tuple(sorted(name for name in names if (ROOT / name).is_file()))


def text_files() -> tuple[Path, ...]:
    """Return the tracked files that people read and write; test data, which others wrote, is left out."""
    return tuple(
        name
        for name in tracked_files()
        if (name.suffix in _TEXT or name.suffix == "") and not name.is_relative_to("tests/data")
    )


def python_files(*folders: str) -> tuple[Path, ...]:
    """Return the tracked Python files under `folders` (all when none is given)."""
    wanted = [name for name in tracked_files() if name.suffix == ".py"]
    return tuple(name for name in wanted if not folders or name.parts[0] in folders)


@cache
def source(name: Path) -> str:
    """Return the text of a tracked file."""
    return (ROOT / name).read_bytes().decode()


@cache
def tree(name: Path) -> ast.Module:
    """Return the syntax tree of a tracked Python file."""
    return ast.parse(source(name), filename=str(name))


def matches(pattern: re.Pattern[str], names: tuple[Path, ...]) -> list[str]:
    """Return `file:line: text` for every line of `names` in which `pattern` is found."""
    return [
        f"{name}:{number}: {line.strip()[:120]}"
        for name in names
        for number, line in enumerate(source(name).splitlines(), start=1)
        if pattern.search(line)
    ]

"""Lays out a new domain: the same noun in every layer, each file beginning with what belongs into it.

`domain.py highlights` writes only files that do not exist, and says what to do by hand.
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a script

from tools.console import ROOT, say

FILES = {
    "db/tables/{name}.py": "How {name} are stored: Piccolo tables that name the columns and their types.",
    "db/{name}.py": "What is remembered of {name}: frozen rows and every query; each names its owner.",
    "services/{name}.py": "What is true of {name}: the rules, framework-free. Raises kit.errors, never an HTTP status.",
    "resolvers/inputs/{name}.py": "What callers may say about {name}: input types and enums, every field described.",
    "resolvers/{name}.py": "How fields about {name} are answered: who asks, one service call, rows back.",
    "schema/{name}.py": "What the API says of {name}: types without methods, every field described.",
    "tests/db/test_{name}.py": "The queries of {name} against a real PostgreSQL.",
    "tests/services/test_{name}.py": "The rules of {name}.",
    "tests/api/test_{name}.py": "{title} through the schema.",
}
BY_HAND = (
    "a migration: .venv/bin/piccolo migrations new graphmark, its SQL by db.migrate.script",
    "schema/root.py: merge {title}Query, {title}Mutation and {title}Subscription, then make schema",
    "docs/domains.md: a section ## {name}; CHANGELOG.md: a line",
    "tests/house/project.py: {name} in DOMAINS",
)


def main(arguments: list[str]) -> int:
    """Write the files of one domain; 0 done, 1 nothing left to write, 2 no usable name."""
    name = arguments[0] if len(arguments) == 1 else ""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        say("usage: make domain D=highlights   (lower case, one noun, as it is called in every layer)")
        return 2
    title = name.title().replace("_", "")
    paths = {ROOT / path.format(name=name): text.format(name=name, title=title) for path, text in FILES.items()}
    fresh = {path: text for path, text in paths.items() if not path.exists()}
    for path, text in fresh.items():
        path.write_text(f'"""{text}"""\n', encoding="utf-8")
        say(f"wrote {path.relative_to(ROOT)}")
    if not fresh:
        say(f"Every layer has its {name} already.")
        return 1
    say("\nBy hand:")
    for line in BY_HAND:
        say(f"  {line.format(name=name, title=title)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

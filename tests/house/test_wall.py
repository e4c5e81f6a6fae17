"""Who may reach around the second wall. Everybody else acts for the viewer, behind it."""

import ast

from tests.house.project import python_files, tree

UNWALLED = {
    "resolvers/admin.py": "administrators change accounts of others, and see what they have",
    "resolvers/agents/fleet.py": "administrators pause and resume agents, which belong to nobody",
    "resolvers/agents/following.py": "what happens to agents is an event of the server, for every account",
    "resolvers/agents/steering.py": "administrators replay what failed, of all accounts",
    "resolvers/audit.py": "administrators read what was done to accounts",
    "resolvers/auth": "who somebody is must be found before it can be acted for them; credentials are closed to them",
    "resolvers/spending.py": "administrators look at what others spend",
    "resolvers/users.py": "administrators list accounts",
}
"""Modules and packages that say `context.unwalled`, and why."""

SERVING = {
    "app/pages.py": "whoever follows a link, or comes from a provider of identities, has not signed in",
    "app/screenshots.py": "acts for whoever asks, by `of`",
    "app/server.py": "finds out who asks",
    "app/health.py": "asks whether the database answers",
    "app/cli": "whoever has the command line has the database",
    "resolvers/context.py": "makes the two of them",
}
"""Modules and packages above tasks that say `services.database`, and why."""


def found(folders: tuple[str, ...], wanted: str) -> set[str]:
    """Return the modules that say something that ends in `wanted`."""
    return {
        str(name)
        for name in python_files(*folders)
        if any(isinstance(node, ast.Attribute) and ast.unparse(node).endswith(wanted) for node in ast.walk(tree(name)))
    }


def listed(module: str, places: dict[str, str]) -> str | None:
    """Return the entry of a list that a module falls under."""
    return next((place for place in places if module == place or module.startswith(f"{place}/")), None)


def test_only_these_reach_around_the_wall() -> None:
    modules = found(("app", "schema", "resolvers"), ".unwalled") - {"resolvers/context.py"}
    assert {listed(module, UNWALLED) for module in modules} == set(UNWALLED), modules


def test_only_these_take_the_database_of_the_process() -> None:
    modules = found(("app", "schema", "resolvers"), "services.database")
    assert {listed(module, SERVING) for module in modules} == set(SERVING), modules

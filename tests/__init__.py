"""The suite. This file must exist: a dependency ships a top-level `tests` package of its own."""

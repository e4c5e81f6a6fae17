"""How long tasks of a kind hold a slot, as one worker has seen it lately."""

from typing import Final

BRIEF_SECONDS: Final = 0.05
"""What ends sooner than this is over before a claim for the slot is."""
_TRUSTED: Final = 4
"""Tasks of a kind that must have been seen before it counts as brief."""
_WEIGHT: Final = 0.25
"""Of the latest task in the mean."""


class Pace:
    """Moving means of the seconds that tasks took, by kind."""

    def __init__(self) -> None:
        self._means: dict[str, float] = {}
        self._seen: dict[str, int] = {}

    def note(self, kind: str, seconds: float) -> None:
        """Count a task that held its slot for `seconds`."""
        before = self._means.get(kind, seconds)
        self._means[kind] = before + _WEIGHT * (seconds - before)
        self._seen[kind] = self._seen.get(kind, 0) + 1

    def forget(self, kind: str) -> None:
        """Trust nothing that was seen of a kind: it has turned out to take longer."""
        self._means.pop(kind, None)
        self._seen.pop(kind, None)

    def brief(self) -> list[str]:
        """Return the kinds whose tasks are over in a moment."""
        return [kind for kind, mean in self._means.items() if mean < BRIEF_SECONDS and self._seen[kind] >= _TRUSTED]

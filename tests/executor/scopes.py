"""Which response names are taken at one place of an answer, so that everything selected there can be merged."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Taken:
    """A field of one parent type under a response name. `below` is shared by all fields that merge with it."""

    parent: str
    name: str
    arguments: str
    kind: str
    below: "Scope"

    def same_field(self, other: "Taken") -> bool:
        """Tell whether the two are one field asked for in the same way."""
        return (self.name, self.arguments, self.kind) == (other.name, other.arguments, other.kind)


@dataclass(slots=True)
class Scope:
    """The response names of one selection set, fragments included. `abstract` are the names of interfaces."""

    abstract: frozenset[str]
    taken: dict[str, list[Taken]] = field(default_factory=dict)

    def below(self) -> "Scope":
        """Return an empty scope of the same schema."""
        return Scope(self.abstract)

    def admits(self, key: str, new: Taken) -> bool:
        """Tell whether a field may stand under `key` beside what stands there (GraphQL, 5.3.2)."""
        return all(self._fit(old, new) for old in self.taken.get(key, ()))

    def add(self, key: str, new: Taken) -> Taken:
        """Put an admitted field under `key`; what merges with it shares its scope below."""
        there = self.taken.setdefault(key, [])
        for old in there:
            if old.parent == new.parent:
                return old
        if there:
            new.below = there[0].below
        there.append(new)
        return new

    def merge(self, other: "Scope") -> bool:
        """Take in what a fragment selects; change nothing and return False when it does not fit."""
        if not self._takes(other):
            return False
        for key, entries in other.taken.items():
            for entry in entries:
                fresh = Taken(entry.parent, entry.name, entry.arguments, entry.kind, self.below())
                self.add(key, fresh).below.merge(entry.below)
        return True

    def _takes(self, other: "Scope") -> bool:
        return all(
            self.admits(key, entry) and all(old.below._takes(entry.below) for old in self.taken.get(key, ()))  # noqa: SLF001  its own kind
            for key, entries in other.taken.items()
            for entry in entries
        )

    def _fit(self, old: Taken, new: Taken) -> bool:
        if old.parent == new.parent or old.parent in self.abstract or new.parent in self.abstract:
            return old.same_field(new)
        return old.kind == new.kind

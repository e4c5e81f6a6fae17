"""Who is asking, and proof that a row is theirs.

`Owned[T]` can only be made here. A function that changes a row takes `Owned[Row]` instead of `Row`, so that a
forgotten ownership check is a type error and not a leak.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from kit.errors import Forbidden, NotFound


class ApiScope(StrEnum):
    """What an API key may be used for."""

    READ = "READ"
    WRITE = "WRITE"
    IMPORT = "IMPORT"


class Role(StrEnum):
    """What an account may do beyond its own data."""

    USER = "USER"
    ADMIN = "ADMIN"


@dataclass(frozen=True, slots=True)
class Viewer:
    """The account on whose behalf something is done, however it came in: session, API key, command line or task.

    `scopes` is None for whoever may do all that the account may. `must_enrol` says that a second factor has to be
    set up before anything else is done.
    """

    id: UUID
    role: Role = Role.USER
    session_id: UUID | None = None
    key_id: UUID | None = None
    scopes: frozenset[ApiScope] | None = None
    must_enrol: bool = False

    @property
    def credential_id(self) -> UUID | None:
        """The session or API key that opens what is done; None where neither does."""
        return self.session_id or self.key_id


@dataclass(frozen=True, slots=True)
class Demand:
    """What is demanded of a viewer who may not do all that the account may; others only have to be signed in.

    An API key needs `scope`; None means that no key will do. Who still has to set up a second factor needs a place
    that is open `while_enrolling`. Where something `is_public`, anybody may pass.
    """

    scope: ApiScope | None = None
    is_public: bool = False
    while_enrolling: bool = False


WHOLE = Demand()
"""For viewers who may do all that the account may: credentials, administration, what nobody has thought of yet."""


class OwnedRow(Protocol):
    """A row that names its owner."""

    @property
    def owner_id(self) -> UUID:
        """The account that the row belongs to."""
        ...


T = TypeVar("T", bound=OwnedRow)
_SEAL = object()


class Owned(Generic[T]):
    """A row together with the proof that the viewer owns it. Made by `own`, nowhere else."""

    __slots__ = ("row", "viewer")

    def __init__(self, row: T, viewer: Viewer, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("Owned is made by services.permissions.own")
        self.row = row
        self.viewer = viewer


def own(viewer: Viewer, row: T | None, noun: str, *, field: tuple[str, ...] = ()) -> Owned[T]:
    """Return `row` as the viewer's own.

    Raises `NotFound` when there is no row or it is somebody else's: the two are never told apart.
    """
    if row is None or row.owner_id != viewer.id:
        raise NotFound(f"There is no such {noun}.", field=field)
    return Owned(row, viewer, _SEAL)


def has_role(viewer: Viewer, role: Role) -> bool:
    """Tell whether a viewer is of `role`, or an administrator."""
    return viewer.role is Role.ADMIN or viewer.role is role


def require_role(viewer: Viewer, role: Role) -> None:
    """Let a viewer of `role` (or an administrator) pass; raise `Forbidden` otherwise."""
    if not has_role(viewer, role):
        raise Forbidden(f"This needs the role {role.value}.")


def admit(viewer: Viewer, demand: Demand, what: str) -> None:
    """Let a viewer pass who meets a demand; raise `Forbidden` otherwise. `what` is the name of what was asked for."""
    if demand.is_public or not (viewer.must_enrol or viewer.scopes is not None):
        return
    if viewer.must_enrol and not demand.while_enrolling:
        raise Forbidden(
            "Set up a second factor first: call `enableTotp`, then `confirmTotp`. Nothing else is open to you before."
        )
    if viewer.scopes is None:
        return
    if demand.scope is None:
        raise Forbidden(f"`{what}` is not for API keys: sign in.")
    if demand.scope not in viewer.scopes:
        raise Forbidden(f"`{what}` needs the scope {demand.scope.value}, which this API key does not have.")

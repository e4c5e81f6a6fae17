"""Rows for tests: believable defaults, only what the test cares about is said."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from db import auth, users
from db.bookmarks import BookmarkRow
from db.collections import CollectionRow
from db.tags import TagRow
from db.unit import Database
from db.users import UserRow
from kit.crypto import fingerprint, new_token
from kit.ids import new_id
from kit.settings import BookmarkWorkflow, Settings
from services import bookmarks, collections, tags
from services.bookmarks import BookmarkChanges, DuplicatePolicy
from services.collections import NewCollection
from services.permissions import Role, Viewer

_QUIET = Settings(new_bookmark_workflow=BookmarkWorkflow.NONE)


@dataclass
class Maker:
    """Makes rows in `database`. Each call makes a new one."""

    database: Database
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    async def user(self, email: str | None = None, *, role: Role = Role.USER, password_hash: str = "!") -> UserRow:
        """An account whose password nobody knows, unless `password_hash` says otherwise."""
        number = next(self._numbers)
        email = email or f"person{number}@example.org"
        async with self.database.unit() as unit:
            user = await users.insert(
                unit,
                key=new_id(),
                email=email,
                email_key=email.casefold(),
                name=f"Person {number}",
                role=role.value,
                password_hash=password_hash,
            )
        assert user is not None
        return user

    async def viewer(self, *, role: Role = Role.USER) -> Viewer:
        """Somebody signed in, without a session row."""
        user = await self.user(role=role)
        return Viewer(id=user.id, role=role)

    async def session(self, user: UserRow) -> str:
        """A session token of `user`, as the API takes it."""
        token = new_token("gms")
        async with self.database.unit() as unit:
            await auth.insert_session(
                unit,
                key=new_id(),
                user_id=user.id,
                token_hash=fingerprint(token),
                user_agent="tests",
                network_address="127.0.0.1",
                idle_minutes=60,
                absolute_hours=24,
            )
        return token

    async def bookmark(self, viewer: Viewer, changes: BookmarkChanges | None = None) -> BookmarkRow:
        """A bookmark of an address of its own, unless `changes` says otherwise."""
        given: BookmarkChanges = {"url": f"https://example.org/{next(self._numbers)}"}
        given.update(changes or {})
        async with self.database.unit() as unit:
            saved = await bookmarks.create(unit, viewer, given, on_duplicate=DuplicatePolicy.ERROR, settings=_QUIET)
        return saved.bookmark

    async def trashed(self, viewer: Viewer, changes: BookmarkChanges | None = None) -> BookmarkRow:
        """A bookmark in the trash."""
        row = await self.bookmark(viewer, changes)
        async with self.database.unit() as unit:
            await bookmarks.delete(unit, viewer, [row.id], permanently=False)
            found = await bookmarks.get(unit, viewer, row.id)
        assert found is not None
        return found

    async def collection(
        self, viewer: Viewer, name: str = "Reading", *, parent: CollectionRow | None = None
    ) -> CollectionRow:
        """A collection, the last among its siblings."""
        new = NewCollection(name=name, parent_id=None if parent is None else parent.id)
        async with self.database.unit() as unit:
            return await collections.create(unit, viewer, new, idempotency_hours=24)

    async def tag(self, viewer: Viewer, name: str = "dev/python") -> TagRow:
        """A tag, with the levels above it."""
        async with self.database.unit() as unit:
            return (await tags.create(unit, viewer, name=name, color=None))[0]

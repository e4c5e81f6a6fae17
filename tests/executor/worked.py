"""Random tasks and imports in every state, and the fates of their rows."""

import random
from typing import Any
from uuid import UUID

from resolvers.inputs.imports import ImportFormat, ImportStatus, Outcome, Reason
from tests.executor import values

Row = dict[str, Any]
_MOST_ROWS = 45


def tasks(rng: random.Random, owner: UUID, count: int) -> list[Row]:
    """Return tasks; each status is there at least once when there are enough."""
    statuses = [status.value for status in ImportStatus]
    return [
        {
            "id": values.key(rng),
            "owner_id": owner,
            "workflow": rng.choice(("import", "import_undo", values.text(rng, 1))),
            "kind": "import",
            "status": statuses[number % len(statuses)],
            "attempt": rng.choice((0, 1, 5)),
            "max_attempts": 5,
            "progress": rng.choice(values.REALS),
            "current_step": values.maybe(rng, values.text(rng)),
            "total_steps": values.maybe(rng, values.number(rng)),
            "error": values.maybe(rng, values.text(rng)),
            "created_at": values.moment(rng),
            "started_at": values.maybe(rng, values.moment(rng)),
            "finished_at": values.maybe(rng, values.moment(rng)),
        }
        for number in range(count)
    ]


def imports(rng: random.Random, owner: UUID, work: list[Row], bookmarks: list[UUID]) -> tuple[list[Row], list[Row]]:
    """Return imports done by two thirds of the tasks, and their rows; some name bookmarks of others, or none."""
    formats = [kind.value for kind in ImportFormat]
    own = work[: max(1, len(work) * 2 // 3)]
    jobs = [
        {
            "id": values.key(rng),
            "owner_id": owner,
            "task_id": task["id"],
            "upload_id": values.key(rng),
            "format": rng.choice(formats),
            "file_name": values.text(rng),
            "file_size_bytes": values.number(rng),
            "total": values.maybe(rng, values.number(rng)),
            **{name: rng.randint(0, 900) for name in ("created", "merged", "skipped", "errors")},
            "created_at": values.moment(rng),
            "undo_task_id": values.maybe(rng, rng.choice(work)["id"]),
            **{name: rng.randint(0, 900) for name in ("removed", "restored", "kept")},
            "undone_at": values.maybe(rng, values.moment(rng)),
        }
        for task in own
    ]
    return jobs, [row for job in jobs for row in _fates(rng, job["id"], bookmarks)]


def _fates(rng: random.Random, key: UUID, bookmarks: list[UUID]) -> list[Row]:
    outcomes, reasons = [one.value for one in Outcome], [one.value for one in Reason]
    return [
        {
            "import_id": key,
            "row": number + 1,
            "url": values.text(rng),
            "title": values.text(rng),
            "outcome": rng.choice(outcomes),
            "reason": values.maybe(rng, rng.choice(reasons)),
            "bookmark_id": rng.choice((None, values.key(rng), rng.choice(bookmarks), rng.choice(bookmarks))),
        }
        for number in range(rng.choice((0, 1, 5, _MOST_ROWS)))
    ]

"""The embedding agent: a vector for each bookmark whose words have changed since the last one; and keeping them so."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from db import embedding as rows
from db.embedding import EmbeddableRow, NewEmbedding, SpaceRow
from db.unit import Unit
from db.vectors import fitted
from kit.ai import BadAnswer, ProviderBusy, ProviderDown, Space
from kit.errors import BadInput
from services.agents import AgentName, Priority, Workflow, start_workflow
from services.embedding.spaces import space_for
from services.embedding.texts import digest_of, text_of
from services.events import EventDraft
from services.permissions import Viewer
from services.spending import BudgetExhausted
from tasks.agent import Agent, Batch, Deferred, Done, Failed, Outcome, Skipped
from tasks.spending import Metered, Settle, metered

BATCH_ITEMS: Final = 64
MAX_AT_ONCE: Final = 1_000
"""Most bookmarks that `keep_up` looks for; an owner who lacks as many is gone through as a whole."""


async def process(batch: Batch) -> list[Outcome]:
    """Embed the bookmarks of a batch whose text is not the one that was embedded already."""
    tools = batch.tools
    space = await space_for(tools.database, tools.provider)
    found = await rows.embeddable(tools.database, batch.owner_id, space, [item.bookmark_id for item in batch.items])
    texts = {key: text_of(row, with_notes=tools.provider.is_local) for key, row in found.items()}
    digests = {key: digest_of(text) for key, text in texts.items()}
    new = [key for key, row in found.items() if row.digest != digests[key]]
    meter = metered(batch, AgentName.EMBEDDING)
    vectors = dict(zip(new, await _embedded(meter, [texts[key] for key in new]), strict=True))
    return [
        _outcome(batch.owner_id, space, found.get(item.bookmark_id), digests.get(item.bookmark_id), vectors)
        for item in batch.items
    ]


AGENT: Final = Agent(
    name=AgentName.EMBEDDING,
    version="1",
    description="Makes bookmarks comparable: a vector of their words, for search by meaning and similar bookmarks.",
    process=process,
    chunk_items=1_000,
    batch_items=BATCH_ITEMS,
    parallel=2,
    deadline_seconds=120.0,
    concurrency=8,
)

Vector = tuple[list[float], Settle] | Skipped | Deferred | None
"""A vector and how it is paid; or why there is none now."""


async def _embedded(meter: Metered, texts: Sequence[str]) -> list[Vector]:
    """Return the vector of each text, None for one that the provider has no usable answer for.

    When it has none for several together, each half is asked for alone: one bad text costs only itself.
    """
    if not texts:
        return []
    try:
        paid = await meter.embed(texts)
        if len(paid.value) == len(texts):
            return [(vector, paid.settle) for vector in paid.value]
        await meter.pay(paid)  # nothing can be made of it
    except BudgetExhausted as error:
        return [Skipped(error.message)] * len(texts)
    except (ProviderBusy, ProviderDown) as error:
        return [Deferred(error.retry_after_seconds, error.message)] * len(texts)
    except BadAnswer:
        pass
    if len(texts) == 1:
        return [None]
    middle = len(texts) // 2
    return [*await _embedded(meter, texts[:middle]), *await _embedded(meter, texts[middle:])]


def _outcome(
    owner_id: UUID, space: SpaceRow, row: EmbeddableRow | None, digest: bytes | None, vectors: dict[UUID, Vector]
) -> Outcome:
    if row is None or digest is None:
        return Skipped("The bookmark is in the trash or gone.")
    if row.id not in vectors:

        async def confirm(unit: Unit) -> Sequence[EventDraft]:
            await rows.confirm(unit, owner_id, space, row.id, digest=digest, read_at=row.read_at)
            return ()

        return Done({"space": space.name, "isNew": False}, confirm)
    answer = vectors[row.id]
    if answer is None:
        return Failed("The model gave no usable vector for this text.")
    if isinstance(answer, Skipped | Deferred):
        return answer
    vector, paid = answer

    async def pay(unit: Unit) -> Sequence[EventDraft]:
        await paid(unit)
        return ()

    try:
        fitted(vector, space.dimensions)
    except BadInput as error:
        return Failed(f"The model gave a vector that cannot be used: {error.message}", write=pay)
    new = NewEmbedding(row.id, vector, digest, row.read_at)

    async def put(unit: Unit) -> Sequence[EventDraft]:
        await paid(unit)
        await rows.put(unit, owner_id, space, new)
        return ()

    return Done({"space": space.name, "isNew": True}, put)


async def keep_up(unit: Unit, wanted: Space) -> int:
    """Start a workflow for each owner who uses embeddings and lacks some in the space `wanted`; return how many.

    Nobody who has never had anything embedded is begun with. Owners for whom such a workflow
    is under way are left alone, so that running again before it has ended starts nothing twice.
    """
    space = await rows.space_named(unit, wanted.name)
    owners = await rows.lacking(unit, space, Workflow.EMBEDDING_ONLY.value, limit=MAX_AT_ONCE)
    for owner_id in sorted(owners):  # in the same order everywhere: each is locked while its events are written
        keys = owners[owner_id]
        await start_workflow(
            unit,
            Viewer(owner_id),
            workflow=Workflow.EMBEDDING_ONLY,
            bookmark_ids=keys if len(keys) < MAX_AT_ONCE else None,
            priority=Priority.BACKGROUND,
        )
    return len(owners)

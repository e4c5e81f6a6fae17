"""The embedding agent: a vector for each bookmark whose words have changed since the last one."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from db import embedding as rows
from db.embedding import EmbeddableRow, NewEmbedding, SpaceRow
from db.unit import Unit
from db.vectors import fitted
from kit.ai import BadAnswer, Provider
from kit.errors import BadInput
from services.agents import AgentName
from services.embedding.spaces import space_for
from services.embedding.texts import digest_of, text_of
from services.events import EventDraft
from tasks.agent import Agent, Batch, Done, Failed, Outcome, Skipped

BATCH_ITEMS: Final = 64


async def process(batch: Batch) -> list[Outcome]:
    """Embed the bookmarks of a batch whose text is not the one that was embedded already."""
    tools = batch.tools
    space = await space_for(tools.database, tools.provider)
    found = await rows.embeddable(tools.database, batch.owner_id, space, [item.bookmark_id for item in batch.items])
    texts = {key: text_of(row, with_notes=tools.provider.is_local) for key, row in found.items()}
    digests = {key: digest_of(text) for key, text in texts.items()}
    new = [key for key, row in found.items() if row.digest != digests[key]]
    vectors = dict(zip(new, await _embedded(tools.provider, [texts[key] for key in new]), strict=True))
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

Vector = list[float] | None


async def _embedded(provider: Provider, texts: Sequence[str]) -> list[Vector]:
    """Return the vector of each text, None for one that the provider has no usable answer for.

    When it has none for several together, each half is asked for alone: one bad text costs only itself.
    """
    if not texts:
        return []
    try:
        vectors: list[Vector] = list((await provider.embed(texts)).value)
        if len(vectors) == len(texts):
            return vectors
    except BadAnswer:
        pass
    if len(texts) == 1:
        return [None]
    middle = len(texts) // 2
    return [*await _embedded(provider, texts[:middle]), *await _embedded(provider, texts[middle:])]


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
    vector = vectors[row.id]
    if vector is None:
        return Failed("The model gave no usable vector for this text.")
    try:
        fitted(vector, space.dimensions)
    except BadInput as error:
        return Failed(f"The model gave a vector that cannot be used: {error.message}")
    new = NewEmbedding(row.id, vector, digest, row.read_at)

    async def put(unit: Unit) -> Sequence[EventDraft]:
        await rows.put(unit, owner_id, space, new)
        return ()

    return Done({"space": space.name, "isNew": True}, put)

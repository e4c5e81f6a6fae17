"""Believable bookmarks, made up: the same ones for the same seed.

They serve `graphmark seed`, the benchmarks and tests. Words come as they do in life: a few in a third of all titles,
most in a handful, some in one alone. Every address lies under `.example`, a name that never leads anywhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from random import Random
from typing import Final, TextIO

MAX_FOLDER_DEPTH: Final = 5
NON_ASCII_SHARE: Final = 0.12
DUPLICATE_SHARE: Final = 0.03
BAD_SHARE: Final = 0.002
_NEWEST: Final = datetime(2026, 11, 1, tzinfo=UTC)
_YEARS: Final = 12
_LONG_WORDS: Final = 20_000  # size of the vocabulary of made-up names

TOPICS: Final = {
    "rust": ("borrow checker", "async runtime", "cargo workspace", "lifetimes", "macros", "embedded", "traits"),
    "python": ("type hints", "packaging", "asyncio", "data classes", "profiling", "testing", "generators"),
    "database": ("query planner", "indexing", "replication", "transactions", "vacuum", "partitioning", "backups"),
    "web": ("accessibility", "caching", "forms", "typography", "performance", "web components", "grid layout"),
    "security": ("threat models", "passkeys", "sandboxing", "key rotation", "audit logs", "supply chain"),
    "cooking": ("sourdough", "fermentation", "knife skills", "slow roasting", "pickles", "broth", "pastry"),
    "gardening": ("compost", "seedlings", "pruning", "raised beds", "pollinators", "soil tests", "perennials"),
    "music": ("counterpoint", "field recording", "modular synths", "ear training", "tuning", "song structure"),
    "travel": ("night trains", "packing light", "mountain huts", "city walks", "ferries", "maps", "visas"),
    "science": ("plate tectonics", "photosynthesis", "measurement", "neural circuits", "dark matter", "tides"),
    "history": ("trade routes", "printing press", "city walls", "letters", "harvest records", "calendars"),
    "design": ("colour theory", "grid systems", "icon sets", "prototyping", "legibility", "design tokens"),
    "finance": ("index funds", "budgeting", "pensions", "compound interest", "tax basics", "mortgages"),
    "health": ("sleep", "strength training", "first aid", "nutrition labels", "running form", "posture"),
}
PATTERNS: Final = (
    "A guide to {thing}",
    "The complete guide to {thing} in {year}",
    "{thing}: a guide for {who}",
    "How {thing} works",
    "{thing} explained for {who}",
    "What I learned about {thing}",
    "{name} - notes on {thing}",
    "{name}: {thing} | {topic} weekly",
    "Ask: which tools do you use for {thing}?",
    "{count} mistakes with {thing}",
    "Understanding {thing}, part {part}",
    "{name} {part}.{count} released",
)
FOREIGN: Final = (
    "Руководство: {thing}",
    "{thing} – eine Einführung für Anfänger",  # noqa: RUF001  typography is the point
    "Café {name} – qu’est-ce que {thing} ?",  # noqa: RUF001  typography is the point
    "{thing}入門ガイド",
    "Οδηγός για {thing}",  # noqa: RUF001  typography is the point
    "{thing} 🎉 “{name}”",
    "دليل {thing}",
)
AUDIENCES: Final = ("beginners", "teams", "the impatient", "experts", "self-taught people", "students")
SENTENCES: Final = (
    "A long read about {thing}, with examples and measurements.",
    "Short reference; the table at the end is what I come back for.",
    "Compares {thing} with the alternatives and says when to use which.",
    "Discussion with many good comments on {thing} and {name}.",
    "The author built {name} and tells what went wrong.",
)
BAD_LINKS: Final = ("javascript:void(0)", "", "place:sort=8", "about:blank", "http://", "data:text/plain,hello")
_SYLLABLES: Final = ("ka", "lo", "mi", "ren", "tos", "vel", "dar", "nu", "pir", "sol", "em", "bra", "qui", "zan")


@dataclass(frozen=True, slots=True)
class Sample:
    """One bookmark. `url` differs from that of every other sample of the run; `folder` runs from the root to a leaf."""

    url: str
    title: str
    description: str | None
    notes: str | None
    tags: tuple[str, ...]
    folder: tuple[str, ...]
    added_at: datetime
    is_favorite: bool
    is_unread: bool
    is_archived: bool


def samples(count: int, *, seed: int = 1) -> Iterator[Sample]:
    """Yield `count` bookmarks, folder by folder, as an export of a browser lists them."""
    random = Random(seed)  # noqa: S311  made-up data, not secrets
    names = _vocabulary(random)
    folder: tuple[str, ...] = ()
    left = 0
    for number in range(count):
        if left == 0:
            folder, left = _next_folder(random, folder), int(random.expovariate(1 / 25)) + 1
        left -= 1
        yield _sample(random, names, number, folder)


def vocabulary(seed: int) -> list[str]:
    """Return the made-up names that `samples` of this seed use, from the most frequent to the rarest."""
    return _vocabulary(Random(seed))  # noqa: S311  made-up data, not secrets


def write_netscape(count: int, out: TextIO, *, seed: int = 1) -> None:
    """Write a Netscape bookmark file of `count` links: some of them twice, some of them no addresses at all."""
    random = Random(seed + 1)  # noqa: S311  made-up data, not secrets
    out.write(
        "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n"
        '<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=UTF-8">\n'
        "<TITLE>Bookmarks</TITLE>\n<H1>Bookmarks</H1>\n<DL><p>\n"
    )
    path: tuple[str, ...] = ()
    seen: list[str] = []
    for sample in samples(count, seed=seed):
        path = _change_folder(out, path, sample)
        url, luck = sample.url, random.random()
        if luck < BAD_SHARE:
            url = random.choice(BAD_LINKS)
        elif luck < BAD_SHARE + DUPLICATE_SHARE and seen:
            url = random.choice(seen)
        elif len(seen) < _LONG_WORDS:
            seen.append(url)
        _write_link(out, sample, url)
    out.write("</DL><p>\n" * (len(path) + 1))


def _next_folder(random: Random, now: tuple[str, ...]) -> tuple[str, ...]:
    """Go down, up or aside, as a person's folders do."""
    depth = random.choices(range(1, MAX_FOLDER_DEPTH + 1), weights=(5, 8, 5, 2, 1))[0]
    kept = now[: random.randrange(depth)]
    while len(kept) < depth:
        kept = (*kept, random.choice((*TOPICS, "To read", "Work", "Home", "Archive", "Projects", "Ideas")).capitalize())
    return kept


def _sample(random: Random, names: list[str], number: int, folder: tuple[str, ...]) -> Sample:
    topic = random.choice(list(TOPICS))
    thing = random.choice(TOPICS[topic])
    name = names[int(len(names) * random.random() ** 3)]  # the first names are the frequent ones
    words = {
        "thing": thing,
        "topic": topic,
        "name": name,
        "who": random.choice(AUDIENCES),
        "year": random.randrange(2010, 2027),
        "count": random.randrange(2, 40),
        "part": random.randrange(1, 9),
    }
    pattern = random.choice(FOREIGN if random.random() < NON_ASCII_SHARE else PATTERNS)
    title = pattern.format(**words)
    has_text = random.random()
    site = f"{name.lower()}.{random.choice(('blog', 'docs', 'news'))}-{topic}.example"
    host = random.choice((f"{topic}-weekly.example", f"docs.{topic}.example", site))
    return Sample(
        url=f"https://{host}/{topic}/{thing.replace(' ', '-')}/{number:x}?ref={random.randrange(100)}",
        title=title[0].upper() + title[1:],
        description=random.choice(SENTENCES).format(**words) if has_text < 0.35 else None,  # noqa: PLR2004  a share
        notes=f"See also {names[random.randrange(len(names))]}." if has_text > 0.95 else None,  # noqa: PLR2004  a share
        tags=_tags(random, topic, thing),
        folder=folder,
        added_at=_NEWEST - timedelta(seconds=random.randrange(_YEARS * 365 * 86_400)),
        is_favorite=random.random() < 0.05,  # noqa: PLR2004  a share
        is_unread=random.random() < 0.2,  # noqa: PLR2004  a share
        is_archived=random.random() < 0.1,  # noqa: PLR2004  a share
    )


def _tags(random: Random, topic: str, thing: str) -> tuple[str, ...]:
    offered = (topic, f"{topic}/{thing.replace(' ', '-')}", random.choice(("to-read", "reference", "tool", "video")))
    return tuple(sorted({random.choice(offered) for _ in range(random.randrange(5))}))


def _vocabulary(random: Random) -> list[str]:
    """Return distinct made-up names, the frequent ones first."""
    names: dict[str, None] = {}
    while len(names) < _LONG_WORDS:
        names["".join(random.choices(_SYLLABLES, k=random.randrange(2, 6))).capitalize()] = None
    return list(names)


def _change_folder(out: TextIO, path: tuple[str, ...], sample: Sample) -> tuple[str, ...]:
    """Close and open folders until those of `sample` are open."""
    shared = 0
    for one, other in zip(path, sample.folder, strict=False):
        if one != other:
            break
        shared += 1
    out.write("</DL><p>\n" * (len(path) - shared))
    stamp = int(sample.added_at.timestamp())
    out.writelines(
        f'<DT><H3 ADD_DATE="{stamp}" LAST_MODIFIED="{stamp}">{escape(name)}</H3>\n<DL><p>\n'
        for name in sample.folder[shared:]
    )
    return sample.folder


def _write_link(out: TextIO, sample: Sample, url: str) -> None:
    stamp = int(sample.added_at.timestamp())
    unread = ' TOREAD="1"' if sample.is_unread else ""
    tags = f' TAGS="{escape(",".join(sample.tags))}"' if sample.tags else ""
    out.write(f'<DT><A HREF="{escape(url)}" ADD_DATE="{stamp}"{unread}{tags}>{escape(sample.title)}</A>\n')
    if sample.description:
        out.write(f"<DD>{escape(sample.description)}\n")

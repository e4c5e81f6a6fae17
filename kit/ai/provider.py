"""What a provider of models is asked, what it answers, and how it fails."""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Generic, Protocol, TypeVar
from uuid import UUID

from kit.errors import ErrorCode, GraphmarkError, RateLimited, Unavailable

MAX_DESCRIPTION_CHARS: Final = 300
MAX_SUMMARY_CHARS: Final = 1_000
MAX_KEYWORDS: Final = 10
MAX_TAGS: Final = 5
MAX_TEXTS: Final = 256
"""How many texts are embedded at once."""

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Usage:
    """What one question cost: tokens as the provider counts them, money in millionths of a US dollar."""

    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cost_microdollars: int = 0


@dataclass(frozen=True, slots=True)
class Answer(Generic[T_co]):
    """A validated answer and what it cost. Usages of questions asked in vain on the way are in `usage` too."""

    value: T_co
    usage: tuple[Usage, ...]


@dataclass(frozen=True, slots=True)
class PageText:
    """A bookmark as a model sees it. Everything in it is data from outside, never an instruction."""

    url: str
    title: str = ""
    description: str = ""
    text: str = ""
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """What a page is about: one or two sentences (at most 300 characters), a summary (at most 1,000), keywords (10)."""

    description: str
    summary: str
    keywords: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The owner's own words that a proposal should use before new ones: paths of tags, names of categories.

    `hints` has words that are typical of a category, by its name, separated by spaces: `{"Travel": "hotel flight"}`.
    A category or collection is only ever proposed from these names; a tag may be new.
    """

    tags: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    hints: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """A proposal: a name, how sure (0 to 1), and why in one sentence."""

    name: str
    confidence: float
    reason: str


@dataclass(frozen=True, slots=True)
class Choices:
    """How a page may be sorted: at most 5 tags, one category and one collection, or none."""

    tags: tuple[Choice, ...] = ()
    category: Choice | None = None
    collection: Choice | None = None


@dataclass(frozen=True, slots=True)
class Space:
    """Where vectors can be compared: one model, one length. `name` is unique, for example `local/wordllama-256`."""

    name: str
    dimensions: int


class Question(StrEnum):
    """What may be asked."""

    DESCRIBE = "DESCRIBE"
    CHOOSE = "CHOOSE"
    EMBED = "EMBED"


CALL_ID: ContextVar[UUID | None] = ContextVar("CALL_ID", default=None)
"""Whose reservation a question runs under. A provider outside sends it along, so that its log can be matched."""


class Provider(Protocol):
    """Models behind one door. Every method raises `ProviderBusy`, `ProviderDown` or `BadAnswer`, nothing else.

    `version` changes when the same question may get another answer. `detail` says in a sentence what answers here.
    `is_local` tells whether a question stays in this process: an owner's private words may only be put to such a one.
    """

    name: str
    space: Space
    version: str
    detail: str
    is_local: bool

    async def describe(self, page: PageText) -> Answer[Description]:
        """Say what a page is about."""
        ...

    async def choose(self, page: PageText, vocabulary: Vocabulary) -> Answer[Choices]:
        """Propose how to sort a page."""
        ...

    async def embed(self, texts: Sequence[str]) -> Answer[list[list[float]]]:
        """Return a vector of unit length for each text, `space.dimensions` long; at most 256 texts at once.

        A text without any word gets all zeros: nothing is near it. Raises `ValueError` for more than 256 texts.
        """
        ...

    def most(self, question: Question, chars: int) -> Usage:
        """Return the most that a question of so many characters of data is expected to cost: what is reserved."""
        ...

    async def aclose(self) -> None:
        """Let go of connections and threads."""
        ...


class ProviderBusy(RateLimited):
    """The provider asks to come back later. `usage` has what questions before on the way cost."""

    def __init__(self, message: str, *, retry_after_seconds: int, usage: tuple[Usage, ...] = ()) -> None:
        super().__init__(message, retry_after_seconds=retry_after_seconds)
        self.usage = usage


class ProviderDown(Unavailable):
    """The provider does not answer, or the circuit breaker keeps us from asking for `retry_after_seconds` more.

    `is_uncertain` says that a question was sent and its answer never came: nobody knows whether it was charged.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after_seconds: int = 30,
        usage: tuple[Usage, ...] = (),
        is_uncertain: bool = False,
    ) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.usage = usage
        self.is_uncertain = is_uncertain


class BadAnswer(GraphmarkError):  # noqa: N818  named like its siblings in kit.errors
    """The provider answered what cannot be used, also when asked again. `usage` has what that cost."""

    code = ErrorCode.INTERNAL

    def __init__(self, message: str, *, usage: tuple[Usage, ...] = ()) -> None:
        super().__init__(message)
        self.usage = usage

"""The provider that asks an OpenAI-compatible server: OpenAI itself, or Ollama, vLLM, llama.cpp and their like."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeVar

import numpy as np
import openai
from openai.types.chat import ChatCompletionMessageParam
from pydantic import BaseModel, Field, ValidationError

from kit.ai.asking import Ask, Asker
from kit.ai.cleaning import Named, clean_choices, clean_description
from kit.ai.prices import Price, usage_of
from kit.ai.prompts import (
    MAX_ANSWER_TOKENS,
    MAX_PAGE_CHARS,
    MAX_VOCABULARY_CHARS,
    QUESTION_TOKENS,
    REPAIR,
    Chosen,
    Described,
    Messages,
    Proposed,
    choose_prompt,
    describe_prompt,
)
from kit.ai.provider import (
    CALL_ID,
    MAX_TEXTS,
    Answer,
    BadAnswer,
    Choices,
    Description,
    PageText,
    ProviderBusy,
    ProviderDown,
    Question,
    Space,
    Usage,
    Vocabulary,
)
from kit.fetch import Fetcher

CALL_HEADER: Final = "X-Client-Request-Id"
"""Carries the id of a question's row in our ledger: OpenAI keeps it in its log under this name."""

MAX_TEXT_CHARS: Final = 6_000
"""How much of a text is embedded, from its beginning: within 8,191 tokens in any script."""

_MAX_REQUEST_CHARS: Final = 200_000  # OpenAI takes 300,000 tokens at once
_CHARS_PER_TOKEN: Final = 2  # fewer than in most texts: an estimate should not be too low
_TRIES: Final = 2  # one repair
_MAX_REPLY_BYTES: Final = 20_000_000


class _Tokens(BaseModel):
    prompt_tokens: int = Field(default=0, ge=0)
    completion_tokens: int = Field(default=0, ge=0)


class _Counted(BaseModel):
    usage: _Tokens | None = None


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Reply(BaseModel):
    choices: list[_Choice] = Field(min_length=1)


class _Vector(BaseModel):
    index: int
    embedding: list[float]


class _Vectors(BaseModel):
    data: list[_Vector]


Form = TypeVar("Form", bound=BaseModel)


class OpenAIProvider:
    """Asks `client`, which retries nothing by itself and stands on `fetcher`; both are closed with this.

    `dimensions` is how long vectors are asked for and must be. An answer that cannot be used is asked for once more.
    Every answer is paid for, also a bad one: the usages of all are in the result or in the error. Pages are cut to
    8,000 characters, texts to embed to 6,000.
    """

    name = "openai"
    is_local = False

    def __init__(
        self,
        client: openai.AsyncOpenAI,
        fetcher: Fetcher,
        asker: Asker,
        *,
        model: str,
        embedding_model: str,
        dimensions: int,
        prices: Mapping[str, Price],
        detail: str,
    ) -> None:
        self._client = client
        self._fetcher = fetcher
        self._asker = asker
        self._model = model
        self._embedding_model = embedding_model
        self._prices = prices
        self._sends_dimensions = True
        self.space = Space(f"openai/{embedding_model}-{dimensions}", dimensions)
        self.version = f"{model}, {embedding_model}, prompts 1"
        self.detail = detail

    async def describe(self, page: PageText) -> Answer[Description]:
        """Let the model say what a page is about."""
        found, usage = await self._chat(describe_prompt(page), Described)
        return Answer(clean_description(found.description, found.summary, found.keywords), usage)

    async def choose(self, page: PageText, vocabulary: Vocabulary) -> Answer[Choices]:
        """Let the model propose; what the vocabulary does not know is left out, but for new tags."""
        found, usage = await self._chat(choose_prompt(page, vocabulary), Chosen)
        tags = [Named(one.name, one.confidence, one.reason) for one in found.tags]
        return Answer(clean_choices(tags, _named(found.category), _named(found.collection), vocabulary), usage)

    async def embed(self, texts: Sequence[str]) -> Answer[list[list[float]]]:
        """Return vectors of length 1. Blank texts are not sent and get zeros; long lists go in several requests."""
        if len(texts) > MAX_TEXTS:
            raise ValueError(f"at most {MAX_TEXTS} texts are embedded at once")
        cut = [text[:MAX_TEXT_CHARS] for text in texts]
        rows = np.zeros((len(cut), self.space.dimensions))
        spent: list[Usage] = []
        for places in _requests(cut):
            rows[places] = await self._vectors([cut[place] for place in places], spent)
        return Answer(rows.tolist(), tuple(spent))

    def most(self, question: Question, chars: int) -> Usage:
        """Estimate what a question and its repair cost at most: two characters a token, the longest answer."""
        if question is Question.EMBED:
            return usage_of(self._prices, self._embedding_model, chars // _CHARS_PER_TOKEN + 1)
        sent = min(chars, MAX_PAGE_CHARS) + (MAX_VOCABULARY_CHARS if question is Question.CHOOSE else 0)
        tokens = sent // _CHARS_PER_TOKEN + QUESTION_TOKENS
        return usage_of(self._prices, self._model, tokens, MAX_ANSWER_TOKENS)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()
        await self._fetcher.aclose()

    async def _chat(self, messages: Messages, form: type[Form]) -> tuple[Form, tuple[Usage, ...]]:
        """Ask until an answer has the form, at most twice."""
        spent: list[Usage] = []
        for again in range(_TRIES):
            asked = [*messages, ("user", REPAIR)] if again else messages
            body = await self._ask_chat(asked, form, spent)
            self._count(body, self._model, sum(len(content) for _, content in asked), spent)
            try:
                return _read_chat(body, form), tuple(spent)
            except _RefusedToAnswer:
                raise BadAnswer("The model refused to answer.", usage=tuple(spent)) from None
            except ValueError:  # also pydantic's; its text would hold what the model said
                continue
        raise BadAnswer("The model's answer did not have the form that was asked for.", usage=tuple(spent))

    async def _ask_chat(self, messages: Messages, form: type[Form], spent: list[Usage]) -> bytes:
        sent: list[ChatCompletionMessageParam] = [
            {"role": "system", "content": content} if role == "system" else {"role": "user", "content": content}
            for role, content in messages
        ]

        async def ask() -> bytes:
            answer = await self._client.chat.completions.with_raw_response.parse(
                model=self._model,
                messages=sent,
                response_format=form,
                max_completion_tokens=MAX_ANSWER_TOKENS,
                extra_headers=_call_header(),
            )
            return answer.http_response.content

        return await self._ask(ask, spent)

    async def _vectors(self, texts: list[str], spent: list[Usage]) -> np.ndarray:
        """Ask for the vectors of texts that are not blank, at most twice."""
        wrong = "The AI server's vectors are not what was asked for."
        for _ in range(_TRIES):
            body = await self._ask_vectors(texts, spent)
            self._count(body, self._embedding_model, sum(map(len, texts)), spent)
            try:
                return _read_vectors(body, len(texts), self.space.dimensions)
            except _WrongLengthError as error:
                wrong = f"{error}; set GRAPHMARK_EMBEDDING_DIMENSIONS to what the model gives."
            except ValueError:
                continue
        raise BadAnswer(wrong, usage=tuple(spent))

    async def _ask_vectors(self, texts: list[str], spent: list[Usage]) -> bytes:
        async def ask() -> bytes:
            answer = await self._client.embeddings.with_raw_response.create(
                model=self._embedding_model,
                input=texts,
                encoding_format="float",  # the client's own default is base64, which many servers do not know
                dimensions=self.space.dimensions if sends_dimensions else openai.omit,
                extra_headers=_call_header(),
            )
            return answer.http_response.content

        sends_dimensions = self._sends_dimensions
        try:
            return await self._ask(ask, spent)
        except BadAnswer:
            if not sends_dimensions:
                raise
        # Models that cannot shorten their vectors refuse the argument; the length is checked all the same.
        sends_dimensions = False
        body = await self._ask(ask, spent)
        self._sends_dimensions = False
        return body

    async def _ask(self, question: Ask, spent: list[Usage]) -> bytes:
        try:
            return await self._asker.ask(question)
        except (ProviderBusy, ProviderDown, BadAnswer) as error:
            error.usage = (*spent, *error.usage)
            raise

    def _count(self, body: bytes, model: str, chars: int, spent: list[Usage]) -> None:
        """Add what an answer cost. A server that does not count is taken to have read one token per two characters."""
        try:
            tokens = _Counted.model_validate_json(body).usage
        except ValidationError:
            tokens = None
        if tokens is None:
            tokens = _Tokens(prompt_tokens=chars // _CHARS_PER_TOKEN)
        spent.append(usage_of(self._prices, model, tokens.prompt_tokens, tokens.completion_tokens))


class _RefusedToAnswer(Exception):  # noqa: N818  control flow inside this module
    """The model, or a filter behind it, will not answer."""


class _WrongLengthError(ValueError):
    """The vectors are well formed but of another length."""


def _read_chat(body: bytes, form: type[Form]) -> Form:
    """Read the model's JSON out of the server's. Raises `ValueError` or `_RefusedToAnswer`."""
    choice = _Reply.model_validate_json(_bounded(body)).choices[0]
    if choice.message.refusal or choice.finish_reason == "content_filter":
        raise _RefusedToAnswer
    content = choice.message.content or ""
    if choice.finish_reason == "length":
        raise ValueError("the answer was cut off")
    # Models without a grammar behind them like to wrap JSON in a fence or a sentence.
    return form.model_validate_json(content[content.find("{") : content.rfind("}") + 1])


def _read_vectors(body: bytes, count: int, dimensions: int) -> np.ndarray:
    """Read vectors in the order of their texts and bring them to length 1. Raises `ValueError`."""
    data = _Vectors.model_validate_json(_bounded(body)).data
    if sorted(one.index for one in data) != list(range(count)):
        raise ValueError("not one vector for each text")
    lengths = {len(one.embedding) for one in data}
    if lengths != {dimensions}:
        raise _WrongLengthError(f"The AI server's vectors have {min(lengths)} numbers instead of {dimensions}")
    rows = np.array([one.embedding for one in sorted(data, key=lambda one: one.index)])
    sizes = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(sizes).all() or not sizes.all():
        raise ValueError("not every vector has a length")
    unit: np.ndarray = rows / sizes
    return unit


def _bounded(body: bytes) -> bytes:
    if len(body) > _MAX_REPLY_BYTES:
        raise ValueError("the answer is too long")
    return body


def _requests(texts: Sequence[str]) -> Iterator[list[int]]:
    """Share out the places of texts that are not blank to requests of a bounded size."""
    places: list[int] = []
    chars = 0
    for place, text in enumerate(texts):
        if not text.strip():
            continue
        if places and chars + len(text) > _MAX_REQUEST_CHARS:
            yield places
            places, chars = [], 0
        places.append(place)
        chars += len(text)
    if places:
        yield places


def _named(one: Proposed | None) -> Named | None:
    return None if one is None else Named(one.name, one.confidence, one.reason)


def _call_header() -> dict[str, str]:
    call = CALL_ID.get()
    return {} if call is None else {CALL_HEADER: str(call)}

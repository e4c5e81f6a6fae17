"""Vectors of texts without a network: static word vectors from a wheel, or hashed features where there is no wheel."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from kit.ai.provider import ProviderDown, Space
from kit.ai.words import stopwords_of, words_of

Matrix = npt.NDArray[np.float32]

MAX_EMBEDDED_CHARS: Final = 8_000
"""How much of a text is read, from its beginning."""

DIMENSIONS: Final = 256
_WEIGHTS: Final = f"weights/l2_supercat_{DIMENSIONS}.safetensors"
_KNOWN_WORDS: Final = 100_000  # words whose tokens are remembered: some 20 MB when full
_NGRAM_WEIGHT: Final = 0.3
_NGRAMS: Final = (3, 4)


class Vectors(Protocol):
    """Turns texts into vectors of unit length. Called in a thread, one call at a time."""

    space: Space
    version: str
    detail: str

    def embed(self, texts: Sequence[str]) -> Matrix:
        """Return one row of `space.dimensions` numbers for each text: of length 1, or all zeros without any word."""
        ...


def open_vectors() -> Vectors:
    """Return word vectors where their wheel is installed, hashed features elsewhere. Loads nothing yet."""
    spec = find_spec("wordllama")
    folder = Path(spec.origin).parent if spec is not None and spec.origin is not None else None
    return HashedVectors() if folder is None or not (folder / _WEIGHTS).is_file() else WordVectors(folder)


class WordVectors:
    """The mean of the static vectors of a text's words (wordllama's l2_supercat, 32,000 tokens).

    Tokens never reach over a space, so the tokens of a word are looked up once and remembered: that makes it some ten
    times as fast as tokenizing whole texts. Case and punctuation are left out.
    """

    def __init__(self, folder: Path) -> None:
        self.space = Space(f"local/wordllama-{DIMENSIONS}", DIMENSIONS)
        self.version = f"wordllama {_installed('wordllama')}"
        self.detail = "Static word vectors (wordllama) in this process; best for English."
        self._folder = folder
        self._model: Any = None
        self._tokens: dict[str, tuple[int, ...]] = {}

    def embed(self, texts: Sequence[str]) -> Matrix:
        """See `Vectors`. Raises `ProviderDown` when the model cannot be loaded."""
        if self._model is None:
            self._load()
        cut = [words_of(text[:MAX_EMBEDDED_CHARS]) for text in texts]
        self._learn({word for words in cut for word in words})
        known = self._tokens
        tokens = [[token for word in words for token in known[word]] for words in cut]
        found = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, numbers in enumerate(tokens):
            if numbers:
                found[row] = self._table[numbers].mean(axis=0)
        return _unit(found)

    def _learn(self, words: set[str]) -> None:
        """Look up the tokens of words that are new."""
        if len(self._tokens) + len(words) > _KNOWN_WORDS:
            self._tokens.clear()
        new = sorted(words - self._tokens.keys())
        for word, encoded in zip(new, self._model.encode_batch_fast(new, add_special_tokens=False), strict=True):
            self._tokens[word] = tuple(encoded.ids)

    def _load(self) -> None:
        """Read tokenizer and weights from the wheel's own files: 0.3 s, and 70 MB that stay."""
        try:
            with _quiet_logging():
                from wordllama import WordLlama  # noqa: PLC0415  a second of imports that few processes need
            # Plain load() looks in a folder `tokenizer`, which the wheel calls `tokenizers`, and then goes online.
            loaded = WordLlama.load(cache_dir=self._folder, disable_download=True)
        except (ImportError, OSError, ValueError) as error:
            raise ProviderDown("The local model cannot be loaded; install the package wordllama anew.") from error
        loaded.tokenizer.no_padding()
        self._table: Matrix = loaded.embedding
        self._model = loaded.tokenizer


class HashedVectors:
    """Feature hashing: every word, and at a lower weight each of its runs of 3 and 4 characters, adds to one number.

    Texts that share words or parts of words are near each other; that two different words mean the same is not known.
    The number and its sign come from BLAKE2b (Weinberger et al. 2009, “Feature hashing for large scale multitask
    learning”), so vectors are the same on every machine.
    """

    def __init__(self) -> None:
        self.space = Space(f"local/hash-{DIMENSIONS}", DIMENSIONS)
        self.version = "hash 1"
        self.detail = "Hashed words in this process: the package wordllama has no wheel here, so meaning is not known."

    def embed(self, texts: Sequence[str]) -> Matrix:
        """See `Vectors`."""
        found = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in enumerate(texts):
            words = words_of(text[:MAX_EMBEDDED_CHARS])
            stop = stopwords_of(words, None)
            counts: dict[str, int] = {}
            for word in words:
                counts[word] = counts.get(word, 0) + 1
            for word in [word for word in counts if word not in stop] or counts:
                places, weights = _features(word)
                np.add.at(found[row], places, weights * np.float32(1 + np.log(counts[word])))
        return _unit(found)


@lru_cache(maxsize=_KNOWN_WORDS // 4)
def _features(word: str) -> tuple[npt.NDArray[np.intp], Matrix]:
    """Return the places that a word and its parts add to, and how much with which sign."""
    edged = f"<{word}>"
    parts = [edged[at : at + size] for size in _NGRAMS for at in range(len(edged) - size + 1)]
    hashed = [int.from_bytes(blake2b(part.encode(), digest_size=4).digest()) for part in (edged, *parts)]
    sizes = [1.0, *([_NGRAM_WEIGHT] * len(parts))]
    places = np.array([(number >> 1) % DIMENSIONS for number in hashed], dtype=np.intp)
    signed = [size if number & 1 else -size for number, size in zip(hashed, sizes, strict=True)]
    return places, np.array(signed, dtype=np.float32)


def _unit(rows: Matrix) -> Matrix:
    """Bring every row to length 1; rows of zeros stay."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Matrix = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return unit


@contextmanager
def _quiet_logging() -> Iterator[None]:
    """Take back what importing does to the root logger: wordllama calls `logging.basicConfig`."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"

"""What a text is about, in its own words: keywords, summary, description. No model writes anything here."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log1p
from typing import Final

import numpy as np

from kit.ai.provider import MAX_DESCRIPTION_CHARS, MAX_KEYWORDS, MAX_SUMMARY_CHARS, Description, PageText
from kit.ai.vectors import Matrix, Vectors
from kit.ai.words import is_cjk, is_han, is_word, pieces_of, sentences_of, stem_of, stopwords_of, terms_of
from kit.text import one_line

MAX_READ_CHARS: Final = 20_000
"""How much of a page's text is read, from its beginning."""

_PHRASE_WORDS: Final = 2
_MIN_WORD_CHARS: Final = 3
_MAX_WORD_CHARS: Final = 40
_MIN_CAPITALS: Final = 2
_CJK_PAIR: Final = 2
_CJK_WORD: Final = 6
_CANDIDATES: Final = 60
_TITLE_BONUS: Final = 3.0
_SUMMARY_SENTENCES: Final = 5
_SENTENCE_CHARS: Final = (25, 600)
_CJK_SENTENCE_CHARS: Final = 10
_SAME: Final = 0.95  # sentences whose vectors are this near say the same
_DAMPING: Final = 0.85  # LexRank's and PageRank's own
_ROUNDS: Final = 20


@dataclass(frozen=True, slots=True)
class Read:
    """A page after reading: its words folded (CJK in pairs), which of them mean nothing, its keywords, its vector."""

    words: tuple[str, ...]
    stopwords: frozenset[str]
    keywords: tuple[str, ...]
    vector: Matrix


def read(page: PageText, vectors: Vectors) -> Read:
    """Read a page: about 8 ms for 5,000 characters."""
    body = page.text[:MAX_READ_CHARS]
    head = f"{page.title}\n{page.description}"
    words = terms_of(f"{head}\n{body}")
    stop = stopwords_of(words, page.language)
    scores, surfaces = _phrases(head, body, stop)
    candidates = sorted(scores, key=lambda phrase: (-scores[phrase], phrase))[:_CANDIDATES]
    told = [f"{head}\n{body}", *candidates]
    found = vectors.embed(told)
    near = found[1:] @ found[0]
    order = sorted(
        range(len(candidates)), key=lambda at: (-scores[candidates[at]] * (0.5 + max(0.0, float(near[at]))), at)
    )
    chosen = _without_repetition([candidates[at] for at in order])
    return Read(tuple(words), stop, tuple(surfaces[phrase] for phrase in chosen), found[0])


def describe(page: PageText, vectors: Vectors) -> Description:
    """Describe a page by its own best sentences. What says nothing gets empty texts."""
    found = read(page, vectors)
    sentences = [line for line in sentences_of(page.text[:MAX_READ_CHARS]) if _is_sentence(line)]
    if not sentences:
        told = one_line(page.description) or one_line(page.title)
        return Description(shortened(told, MAX_DESCRIPTION_CHARS), shortened(told, MAX_SUMMARY_CHARS), found.keywords)
    scores, rows = _ranks(sentences, page, vectors)
    best = sorted(range(len(sentences)), key=lambda at: (-scores[at], at))
    summary = _taken(sentences, rows, best, most=_SUMMARY_SENTENCES, chars=MAX_SUMMARY_CHARS)
    description = _taken(sentences, rows, best, most=2, chars=MAX_DESCRIPTION_CHARS)
    return Description(description, summary, found.keywords)


def shortened(text: str, chars: int) -> str:
    """Return `text` with at most `chars` characters, cut at a space where there is one, with an ellipsis."""
    if len(text) <= chars:
        return text
    cut = text[: chars - 1]
    space = cut.rfind(" ", chars // 2)
    return (cut if space < 0 else cut[:space]).rstrip(" ,;:.-") + "…"


def _is_sentence(line: str) -> bool:
    low, high = _SENTENCE_CHARS
    low = _CJK_SENTENCE_CHARS if any(map(is_cjk, line[:low])) else low
    return low <= len(line) <= high


def _ranks(sentences: Sequence[str], page: PageText, vectors: Vectors) -> tuple[Sequence[float], Matrix]:
    """Weigh sentences as LexRank does (Erkan and Radev 2004), with the title's words and an early place for more."""
    rows = vectors.embed([*sentences, f"{page.title} {page.description}"])
    rows, title = rows[:-1], rows[-1]
    near = np.maximum(rows @ rows.T, 0.0).astype(np.float64)
    np.fill_diagonal(near, 0.0)
    sums = near.sum(axis=1, keepdims=True)
    moves = np.divide(near, sums, out=np.full_like(near, 1 / len(sentences)), where=sums > 0)
    ranks = np.full(len(sentences), 1 / len(sentences))
    for _ in range(_ROUNDS):
        ranks = (1 - _DAMPING) / len(sentences) + _DAMPING * (ranks @ moves)
    early = 1 / (1 + 0.1 * np.arange(len(sentences)))
    scores = ranks * len(sentences) + np.maximum(rows @ title, 0.0) + early
    return [round(float(score), 6) for score in scores], rows


def _taken(sentences: Sequence[str], rows: Matrix, best: Sequence[int], *, most: int, chars: int) -> str:
    """Join the best sentences that fit into `chars` and do not repeat each other, in their order in the text."""
    chosen: list[int] = []
    room = chars
    for at in best:
        if len(sentences[at]) <= room and all(float(rows[at] @ rows[other]) < _SAME for other in chosen):
            chosen.append(at)
            room -= len(sentences[at]) + 1
        if len(chosen) == most:
            break
    return " ".join(sentences[at] for at in sorted(chosen)) if chosen else shortened(sentences[best[0]], chars)


def _phrases(head: str, body: str, stop: frozenset[str]) -> tuple[dict[str, float], dict[str, str]]:
    """Score phrases of one or two words between stopwords and punctuation; return also how each is mostly written."""
    scores: dict[str, float] = {}
    written: dict[str, Counter[str]] = {}
    for text, weight in ((head, _TITLE_BONUS), (body, 1.0)):
        for run in _runs(text, stop):
            for size in range(1, min(_PHRASE_WORDS, len(run)) + 1):
                for at in range(len(run) - size + 1):
                    surface = " ".join(run[at : at + size])
                    phrase = surface.casefold()
                    scores[phrase] = scores.get(phrase, 0.0) + weight
                    written.setdefault(phrase, Counter())[surface] += 1
    kept = {
        phrase: log1p(score) * (1 + 0.25 * phrase.count(" "))
        for phrase, score in scores.items()
        if sum(written[phrase].values()) > 1 or _tells_once(phrase)
    }
    return kept, {phrase: max(sorted(written[phrase]), key=written[phrase].__getitem__) for phrase in kept}


def _tells_once(phrase: str) -> bool:
    """Tell a phrase that counts though it stands there only once: one word, and no pair cut out of CJK."""
    return " " not in phrase and not (is_cjk(phrase) and len(phrase) <= _CJK_PAIR)


def _runs(text: str, stop: frozenset[str]) -> list[list[str]]:
    runs: list[list[str]] = [[]]
    for line in text.splitlines():
        for piece in pieces_of(line):
            if is_cjk(piece):
                runs.extend([part] for part in _cjk_words(piece))
            elif is_word(piece) and piece.casefold() not in stop and _tells(piece):
                runs[-1].append(piece)
            else:
                runs.append([])
        runs.append([])
    return [run for run in runs if run]


def _cjk_words(run: str) -> list[str]:
    """Return a run of one script as a word, or, where it is a clause without spaces, as its pairs of characters."""
    if not is_word(run) or len(run) < _CJK_PAIR:
        return []
    if len(run) <= _CJK_WORD or not is_han(run):
        return [run]
    return [run[at : at + _CJK_PAIR] for at in range(len(run) - 1)]


def _tells(piece: str) -> bool:
    least = _MIN_CAPITALS if piece.isupper() else _MIN_WORD_CHARS
    return least <= len(piece) <= _MAX_WORD_CHARS and not piece[0].isdigit()


def _without_repetition(phrases: Sequence[str]) -> list[str]:
    """Leave out a phrase whose words are all in a better one, or which is its plural."""
    kept: list[str] = []
    taken: set[str] = set()
    for phrase in phrases:
        stems = {stem_of(word) for word in phrase.split()}
        if not stems <= taken:
            kept.append(phrase)
            taken |= stems
        if len(kept) == MAX_KEYWORDS:
            break
    return kept

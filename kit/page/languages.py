"""Which language a text is in, where its page does not say."""

from functools import cache
from typing import Final

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from kit.page.cleaning import language

MIN_CHARS: Final = 40
"""Shorter texts are too little to tell."""

MIN_CONFIDENCE: Final = 0.6
"""Between 0 and 1, as py3langid gives it; below it nothing is said."""

_SAMPLE_CHARS: Final = 5_000


def detect(text: str) -> str | None:
    """Return the BCP 47 tag of the language that `text` is most likely in, or None when that is not clear."""
    if len(text) < MIN_CHARS:
        return None
    found, confidence = _identifier().classify(text[:_SAMPLE_CHARS])
    return language(found) if confidence >= MIN_CONFIDENCE else None


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

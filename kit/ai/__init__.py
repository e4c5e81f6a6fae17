"""What a model does for a bookmark: describe it, sort it, make it comparable. One protocol, two providers."""

from kit.ai.checking import check_settings, is_outside
from kit.ai.local import LocalProvider
from kit.ai.making import detail_of, make_provider
from kit.ai.provider import (
    CALL_ID,
    MAX_TEXTS,
    Answer,
    BadAnswer,
    Choice,
    Choices,
    Description,
    PageText,
    Provider,
    ProviderBusy,
    ProviderDown,
    Question,
    Space,
    Usage,
    Vocabulary,
)

__all__ = [
    "CALL_ID",
    "MAX_TEXTS",
    "Answer",
    "BadAnswer",
    "Choice",
    "Choices",
    "Description",
    "LocalProvider",
    "PageText",
    "Provider",
    "ProviderBusy",
    "ProviderDown",
    "Question",
    "Space",
    "Usage",
    "Vocabulary",
    "check_settings",
    "detail_of",
    "is_outside",
    "make_provider",
]

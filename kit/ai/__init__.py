"""What a model does for a bookmark: describe it, sort it, make it comparable. One protocol, two providers."""

from kit.ai.local import LocalProvider
from kit.ai.provider import (
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
    Space,
    Usage,
    Vocabulary,
)

__all__ = [
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
    "Space",
    "Usage",
    "Vocabulary",
]

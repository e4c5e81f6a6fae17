"""What a model does for a bookmark: describe it, sort it, make it comparable. One protocol, two providers."""

from kit.ai.provider import (
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
    "Answer",
    "BadAnswer",
    "Choice",
    "Choices",
    "Description",
    "PageText",
    "Provider",
    "ProviderBusy",
    "ProviderDown",
    "Space",
    "Usage",
    "Vocabulary",
]

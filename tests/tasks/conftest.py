"""What the tests of workers share."""

from dataclasses import replace

import pytest

from kit.settings import Settings


@pytest.fixture
def quick(settings: Settings) -> Settings:
    """Pauses short enough for a test."""
    return replace(settings, task_retry_seconds=0.01, task_retry_max_seconds=0.02, task_max_attempts=3)

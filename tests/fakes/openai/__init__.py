"""A stub of the OpenAI API on loopback: deterministic answers made of what it is given, and failures as scripted."""

from tests.fakes.openai.process import RemoteModels, models_process
from tests.fakes.openai.server import Call, Fault, Models

__all__ = ["Call", "Fault", "Models", "RemoteModels", "models_process"]

"""The messages of graphql-transport-ws that a client may send, checked member by member."""

from dataclasses import dataclass, field
from typing import Any

import orjson

from app.graphql.engine import Operation
from app.graphql.requests import Refusal, operation_in


class BadMessage(Exception):  # noqa: N818  the client's mistake, and the reason of a close
    """A message that is not the protocol's; its text is the close reason."""


@dataclass(frozen=True, slots=True)
class Message:
    """`ping`, `pong` or `complete`. `id` is empty where the type has none."""

    type: str
    id: str = ""
    payload: dict[str, Any] | None = None

    def echo(self, kind: str) -> dict[str, Any]:
        """Return a message of type `kind` with this one's payload."""
        return {"type": kind, "payload": self.payload}


@dataclass(frozen=True, slots=True)
class Init(Message):
    """`connection_init`. `authorization` is what the payload says under that name in any case of letters."""

    authorization: str | None = None


@dataclass(frozen=True, slots=True)
class Subscribe(Message):
    """`subscribe`: start an operation of any kind under `id`."""

    operation: Operation = field(default_factory=lambda: Operation(""))


_PLAIN = frozenset({"ping", "pong"})


def message_of(text: str) -> Message:
    """Return the message in `text`. Raises `BadMessage`."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadMessage("The message is not valid JSON") from None
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise BadMessage("The message must be an object with a type")
    kind: str = value["type"]
    if kind == "subscribe":
        return Subscribe(kind, _id(value), None, _operation(value))
    if kind == "complete":
        return Message(kind, _id(value))
    if kind == "connection_init":
        payload = _payload(value)
        return Init(kind, "", payload, _authorization(payload or {}))
    if kind in _PLAIN:
        return Message(kind, "", _payload(value))
    raise BadMessage(f"There is no message of type {kind[:40]}")


def _id(value: dict[str, Any]) -> str:
    name = value.get("id")
    if not isinstance(name, str) or not name:
        raise BadMessage(f"{value['type']} needs a non-empty string as id")
    return name


def _payload(value: dict[str, Any]) -> dict[str, Any] | None:
    payload = value.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise BadMessage(f"The payload of {value['type']} must be an object")
    return payload


def _operation(value: dict[str, Any]) -> Operation:
    payload = value.get("payload")
    if not isinstance(payload, dict):
        raise BadMessage("subscribe needs an object as payload")
    try:
        return operation_in(payload)
    except Refusal as refusal:
        raise BadMessage(refusal.message) from None


def _authorization(payload: dict[str, Any]) -> str | None:
    for name, value in payload.items():
        if name.lower() == "authorization":
            if not isinstance(value, str):
                raise BadMessage("authorization must be a string")
            return value
    return None

"""Executors that are wrong on purpose, each in one small way, to show that the oracle sees it."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from app.graphql.engine import Answer, Engine, Plan
from resolvers.context import Context

Spoil = Callable[[bytes], bytes]
_SPLIT_SECOND = re.compile(rb"(:\d\d)\.\d{6}Z")
_WHOLE = re.compile(rb"(:[01])\.0(?=[,}])")
_FLAG = re.compile(rb":(?:true|false)(?=[,}])")
_ZEROS = re.compile(rb"(:\d\d\.\d{1,5})0+Z")


class WrongEngine(Engine):
    """Answers as the engine does that it is a copy of, then spoils the body."""

    def __init__(self, right: Engine, spoil: Spoil) -> None:
        self.__dict__.update(vars(right))
        self._spoil = spoil

    async def execute(self, plan: Plan, context: Context) -> Answer:
        """Answer, wrongly."""
        answer = await super().execute(plan, context)
        return replace(answer, body=orjson.loads(self._spoil(orjson.dumps(answer.body))))


def _reversed_keys(body: bytes) -> bytes:
    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: turned(value[name]) for name in reversed(value)}
        return [turned(inner) for inner in value] if isinstance(value, list) else value

    answer = orjson.loads(body)
    return orjson.dumps({name: turned(inner) if name == "data" else inner for name, inner in answer.items()})


def _short_lists(body: bytes) -> bytes:
    def cut(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: cut(inner) for name, inner in value.items()}
        return [cut(inner) for inner in value[:6]] if isinstance(value, list) else value

    return orjson.dumps(cut(orjson.loads(body)))


SPOILERS: dict[str, Spoil] = {
    "drops microseconds": lambda body: _SPLIT_SECOND.sub(rb"\1Z", body),
    "drops zeros behind a moment": lambda body: _ZEROS.sub(rb"\1Z", body),
    "prints offsets": lambda body: body.replace(b'Z"', b'+00:00"'),
    "prints whole numbers of floats": lambda body: _WHOLE.sub(rb"\1", body),
    "turns flags round": lambda body: _FLAG.sub(lambda found: b":false" if found[0] == b":true" else b":true", body),
    "says null for nothing": lambda body: body.replace(b":[]", b":null"),
    "says empty for null": lambda body: body.replace(b":null", b':""'),
    "loses a line separator": lambda body: body.replace("\u2028".encode(), b""),
    "loses a control character": lambda body: body.replace(b"\\u0007", b""),
    "turns the keys round": _reversed_keys,
    "ends lists early": _short_lists,
    "forgets where an error is": lambda body: re.sub(rb'"locations":\[[^]]*\],', b"", body),
    "forgets the path of an error": lambda body: re.sub(rb'"path":\[[^]]*\],', b"", body),
    "answers to a wrong name": lambda body: body.replace(b'"Collection"', b'"Tag"'),
}

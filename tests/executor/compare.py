"""One operation through both executors: the bytes of both answers, and the smallest operation on which they differ."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import strawberry

from app.graphql.engine import Answer, Engine, Operation
from kit.settings import Executor, Settings
from resolvers.context import Context, Services
from tests.executor.arguments import Arguments
from tests.executor.cursors import Cursors
from tests.executor.jitter import TRIES
from tests.executor.operations import Builder, Case
from tests.executor.owners import Owners
from tests.executor.world import World
from tests.executor.writes import CHECK, Writes

AT_ONCE = 8
"""How many operations run at a time, so that their statements meet on the pool as those of strangers do."""
REFUSED_SHARE = 0.1
WRITTEN_SHARE = 0.3
"""Before how many batches something is changed."""
CRASHED = b"an exception escaped from the engine"
_REQUEST_ID = "oracle"  # the same on both sides, so that not even this has to be left out of the comparison
_VARIED_SHARE = 0.35
_REPEATED_SHARE = 0.6
"""How often a document is asked again, with and without variables: from the second time on a query has a short way."""


@dataclass(frozen=True, slots=True)
class Answers:
    """An operation, and what the two executors answer."""

    case: Case
    expected: bytes
    found: bytes
    strangers: tuple[str, ...] = ()
    """Rows of others that the answer shows."""

    @property
    def is_equal(self) -> bool:
        """Whether they agree, byte for byte but for what time decides (`is_reordered`), and show no rows of others."""
        return not self.strangers and (self.expected == self.found or self.is_reordered)

    @property
    def is_reordered(self) -> bool:
        """Whether only the order of errors differs, or which item of a list was the first to fail: see `jitter`.

        Not a byte of `data` may differ.
        """
        if self.expected == self.found or not (_has_errors(self.expected) and _has_errors(self.found)):
            return False
        return _unordered(self.expected) == _unordered(self.found)

    def __str__(self) -> str:
        """Tell everything that repeating it needs, given the seed of the data."""
        variables = orjson.dumps(self.case.variables, option=orjson.OPT_INDENT_2).decode()
        return (
            f"asked by account {self.case.asker}, operation {self.case.operation_name}\n{self.case.query}\n"
            f"variables {variables}\nrows of others: {self.strangers}\n"
            f"resolvers: {self.expected.decode()}\ncompiled:  {self.found.decode()}"
        )


def engine_with(schema: strawberry.Schema, settings: Settings, executor: Executor) -> Engine:
    """Return an engine with this executor, whatever the settings say."""
    return Engine(schema, replace(settings, executor=executor))


async def answered(engine: Engine, case: Case, services: Services, world: World) -> bytes:
    """Return the body that an engine answers with."""
    viewer = None if case.asker is None else world.viewers[case.asker]
    context = Context(services=services, viewer=viewer, request_id=_REQUEST_ID)
    plan = engine.plan(Operation(case.query, case.operation_name, case.variables or None), context)
    try:
        answer = plan if isinstance(plan, Answer) else await engine.execute(plan, context)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return CRASHED
    return orjson.dumps(answer.body)


@dataclass
class Oracle:
    """Asks two engines the same about the same world. `counts` tells what was asked and what came of it.

    `jittery` gives every answer that `expected` might give, at random.
    """

    expected: Engine
    found: Engine
    jittery: Engine
    services: Services
    world: World
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Learn whose the rows of the world are."""
        self.owners = Owners(self.world)

    async def ask(self, case: Case) -> Answers:
        """Return both answers, which are equal unless something is wrong."""
        expected = await answered(self.expected, case, self.services, self.world)
        found = await answered(self.found, case, self.services, self.world)
        self._count(expected)
        answers = Answers(case, expected, found, tuple(self.owners.strangers(found, case.asker)))
        if expected != found and _has_errors(expected) and _has_errors(found):
            answers = await self._admitted(answers)
            self.counts["errors in another order"] += answers.is_equal
        return answers

    async def _admitted(self, answers: Answers) -> Answers:
        """Return what was found beside what the resolvers say, in the timing that makes them agree if there is one."""
        case, tries = answers.case, 0
        while not answers.is_equal and tries < TRIES:
            tries += 1
            again = await answered(self.jittery, case, self.services, self.world)
            answers = replace(answers, expected=again)
        return answers

    def _count(self, body: bytes) -> None:
        self.counts["operations"] += 1
        self.counts["bytes"] += len(body)
        self.counts["crashed"] += body == CRASHED
        if not _has_errors(body):
            return
        self.counts["not executed" if b'"data":' not in body else "with errors"] += 1
        for error in orjson.loads(body)["errors"]:
            self.counts[error["extensions"]["code"]] += 1


@dataclass
class Source:
    """An endless source of operations; `rng`, the world and the answers before decide what comes."""

    rng: random.Random
    oracle: Oracle
    cursors: Cursors = field(default_factory=Cursors)

    async def batch(self) -> Sequence[Answers]:
        """Compare the next `AT_ONCE` operations, all at the same time."""
        cases = [self.case() if self.rng.random() > WRITTEN_SHARE else await self._changed()]
        while len(cases) < AT_ONCE:
            again = self.rng.random() < (_VARIED_SHARE if cases[-1].variables else _REPEATED_SHARE)
            cases.append(self._varied(cases[-1]) if again else self.case())
        answers = await asyncio.gather(*map(self.oracle.ask, cases))
        for answer in answers:
            self.cursors.harvest(answer.expected)
        return [answer for answer in answers if not answer.is_equal]

    async def _changed(self) -> Case:
        """Change something through one of the engines, and return the question whether all is in step."""
        asker = self.rng.choice((0, 0, 1))
        change = Writes(self.rng, self.oracle.world, asker).draw()
        engine = self.rng.choice((self.oracle.expected, self.oracle.found))
        body = await answered(engine, change, self.oracle.services, self.oracle.world)
        self.oracle.counts["changes" if not _has_errors(body) else "changes refused"] += 1
        return Case(CHECK, {}, asker)

    def case(self) -> Case:
        """Return a new operation."""
        rng = self.rng
        asker = rng.choices((0, 1, 2, None), (70, 15, 12, 3))[0]
        refuses = rng.random() < REFUSED_SHARE
        arguments = Arguments(rng, self.oracle.world, self.cursors, asker or 0, refuses=refuses)
        query, name = Builder(rng, self.oracle.expected.documents.schema, arguments).build()
        return Case(query, arguments.variables.sent, asker, name)

    def _varied(self, case: Case) -> Case:
        """Return the same document, any variables changed, perhaps for somebody else: plans are kept per document."""
        rng = self.rng
        variables = {name: self._other(value) for name, value in case.variables.items() if rng.random() < 0.93}
        asker = case.asker if rng.random() < 0.7 else rng.choice((0, 1, 2))
        return replace(case, variables=variables, asker=asker)

    def _other(self, value: Any) -> Any:
        if isinstance(value, bool):
            return self.rng.random() < 0.5
        if isinstance(value, int):
            return self.rng.choice((1, 2, 3, 5, 20, 100, 101))
        if isinstance(value, dict):
            return {name: inner for name, inner in value.items() if self.rng.random() < 0.7}
        return value if self.rng.random() < 0.7 else None


def _has_errors(body: bytes) -> bool:
    return body.startswith(b'{"errors":')


def _unordered(body: bytes) -> tuple[list[bytes], bytes]:
    """Return the errors without their order and the indexes in their paths, and the bytes behind them."""
    errors = orjson.loads(body)["errors"]
    behind = body[len(b'{"errors":' + orjson.dumps(errors)) :]
    for error in errors:
        if "path" in error:
            error["path"] = ["*" if isinstance(step, int) else step for step in error["path"]]
    return sorted(map(orjson.dumps, errors)), behind

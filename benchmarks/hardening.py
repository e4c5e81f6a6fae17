"""What hostile clients can do to others: nasty requests, and many sign-ins at once."""

import asyncio
from functools import partial
from statistics import median
from time import process_time
from typing import Final

from app.graphql.documents import Documents
from app.graphql.engine import Engine, Plan
from app.graphql.errors import formatted
from app.graphql.requests import Refusal, operation_in_json
from benchmarks.harness import Findings, Goal, Options, Samples
from benchmarks.lab import Lab
from benchmarks.load import send_requests
from benchmarks.load.jobs import HttpJob, HttpResult
from benchmarks.peers.servers import Request
from benchmarks.stage import open_stage, started
from db.unit import dial
from kit.bus import Bus
from kit.crypto import PasswordHasher
from kit.settings import Settings
from resolvers.context import Context, Services
from schema.root import build_schema
from services.permissions import Viewer
from tests.app.graphql.nasty import BODIES, Nasty

NASTY_MS: Final = 50.0
SHOWN: Final = 5
LOGINS: Final = 50
_LOGIN: Final = "mutation ($input: LoginInput!) { login(input: $input) { userErrors { code } } }"


async def run_nasty(lab: Lab, options: Options) -> Findings:
    """Judge each nasty request by a server that has never seen it: reading, limits, validation, variables."""
    findings = Findings("nasty")
    settings = Settings()
    engine = Engine(build_schema(), settings)
    library = await lab.empty("nasty")
    passwords = PasswordHasher(threads=1, queue=1)
    bus = Bus(partial(dial, library.dsn, name="graphmark-benchmarks-bus"), ())
    services = Services(settings=settings, database=library.database, bus=bus, passwords=passwords)
    taken: dict[str, list[float]] = {name: [] for name in BODIES}
    for _ in range(3 if options.quick else 10):
        for name, nasty in BODIES.items():
            engine.documents = Documents(engine.documents.schema, settings)  # nothing is remembered
            taken[name].append(_judged(engine, nasty, services, library.viewer))
    passwords.close()
    await lab.drop(library)
    by_time = sorted(taken, key=lambda name: -median(taken[name]))
    for name in by_time[:SHOWN]:
        findings.plain(f"CPU of judging: {name}", Samples(taken[name]))
    worst = max(Samples(values).median for values in taken.values())
    findings.ratio(f"the slowest of {len(BODIES)} nasty requests", worst / NASTY_MS, f"{NASTY_MS:g} ms", Goal(1.0))
    return findings


def _judged(engine: Engine, nasty: Nasty, services: Services, viewer: Viewer) -> float:
    """Return the milliseconds of CPU until a request is refused, or is known to be one for a resolver."""
    context = Context(services=services, viewer=viewer, request_id="nasty")
    began = process_time()
    try:
        plan = engine.plan(operation_in_json(nasty.body), context)
    except Refusal:
        return (process_time() - began) * 1000
    if isinstance(plan, Plan):
        built = engine.build(plan, context)
        if isinstance(built, list):
            formatted(built, request_id="nasty", operation=None)
    return (process_time() - began) * 1000


async def run_logins(lab: Lab, options: Options) -> Findings:
    """Ask the small query one after the other, in quiet and while fifty clients sign in again and again."""
    findings = Findings("logins")
    stage = await open_stage(lab, options.library // 100)
    async with started(stage, [stage.graphmark()], findings) as up:
        for one in up.values():
            quiet: list[HttpResult] = []
            busy: list[HttpResult] = []
            signing: list[HttpResult] = []
            assert one.server.small is not None
            for _ in range(2 if options.quick else 6):
                quiet.append(await send_requests(_job(one.port, one.server.small)))
                load = _job(one.port, _login(), concurrency=LOGINS, seconds=8.0)
                beside = asyncio.create_task(send_requests(load))
                await asyncio.sleep(1.0)
                busy.append(await send_requests(_job(one.port, one.server.small)))
                signing.append(await beside)
            _report(findings, quiet, busy, signing)
    return findings


def _job(port: int, request: Request, *, concurrency: int = 1, seconds: float = 4.0) -> HttpJob:
    return HttpJob(port=port, request=request.encoded(), concurrency=concurrency, seconds=seconds)


def _login() -> Request:
    """Return a sign-in with a wrong password: it is hashed like a right one, and answered alike every time."""
    given = {"email": "nobody@graphmark.example", "password": "correct horse battery"}
    return Request(path="/graphql", body={"query": _LOGIN, "variables": {"input": given}})


def _report(findings: Findings, quiet: list[HttpResult], busy: list[HttpResult], signing: list[HttpResult]) -> None:
    what = "{ viewer { id } }, one at a time"
    findings.plain(f"{what}, in quiet: p50", Samples([one.p50_ms for one in quiet]))
    findings.plain(f"{what}, beside {LOGINS} sign-ins: p50", Samples([one.p50_ms for one in busy]))
    findings.plain("sign-ins", Samples([one.per_second for one in signing], "/s"))
    calm, beside = Samples([one.p99_ms for one in quiet]), Samples([one.p99_ms for one in busy])
    findings.plain(f"{what}, in quiet: p99", calm)
    findings.against(f"{what}, beside {LOGINS} sign-ins: p99", beside, "in quiet", calm, Goal(2.0))

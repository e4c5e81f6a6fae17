"""What `graphmark doctor` asks of servers outside: that of models, that for mail."""

from contextlib import aclosing
from dataclasses import replace

from app.cli.checks import State
from app.cli.support import run, run_with_services
from db import mail as rows
from kit.ai import make_provider
from kit.errors import Unavailable
from kit.postgres import running_url
from kit.settings import Settings
from kit.smtp import NotNow, open_delivery
from resolvers.context import Services

MAX_MODEL_SECONDS = 10.0
MAX_MAIL_SECONDS = 5.0


def models(settings: Settings) -> tuple[State, str]:
    """Let the provider embed a word; one outside is asked once and for less than a cent."""

    async def ask() -> str:
        seconds = min(settings.ai_timeout_seconds, MAX_MODEL_SECONDS)
        async with aclosing(make_provider(replace(settings, ai_max_tries=1, ai_timeout_seconds=seconds))) as provider:
            await provider.embed(["bookmark"])
            return provider.detail

    return State.OK, run(ask())


def mail(settings: Settings) -> tuple[State, str]:
    """Say hello to the mail server as for a message, without sending one; tell what waits and what was given up."""

    async def ask() -> str:
        return await open_delivery(replace(settings, smtp_timeout_seconds=_mail_seconds(settings))).check()

    try:
        detail = run(ask())
    except NotNow as error:
        return State.FAILED, f"{settings.smtp_host}: {error.reason}"
    waiting, failed = _letters(settings)
    told = [detail, f"{waiting} waiting" if waiting else "", failed]
    return State.OK if settings.smtp_host else State.OFF, "; ".join(part for part in told if part)


def _letters(settings: Settings) -> tuple[int, str]:
    """Return how many messages wait, and what there is to say of those that were given up; nothing without a database.

    That it is away is told where it is looked at.
    """
    if settings.database_url is None and running_url(settings.data_dir) is None:
        return 0, ""

    async def look(services: Services) -> rows.Tally:
        return await rows.tally(services.database)

    try:
        seen = run_with_services("doctor", look)
    except Unavailable:
        return 0, ""
    last = f", the last time because {seen.error}" if seen.error else ""
    return seen.waiting, f"{seen.failed} given up{last}" if seen.failed else ""


def _mail_seconds(settings: Settings) -> float:
    return min(settings.smtp_timeout_seconds, MAX_MAIL_SECONDS)

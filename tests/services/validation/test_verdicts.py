"""The verdict on a link: never hasty, always forgiven by a success, and the same for the same checks."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.validation.states import STRIKES, SUCCESSES, LinkDetail, LinkStatus, Observation, Verdict
from services.validation.verdicts import Move, Standing, judge, moved

START = datetime(2026, 1, 1, tzinfo=UTC)
STATUSES = sorted(set(LinkStatus) - {LinkStatus.UNCHECKED})
PASSING = sorted(set(STATUSES) - STRIKES - SUCCESSES)


def seen(status: LinkStatus, hours: float, detail: LinkDetail | None = None, **more: str) -> Observation:
    """What a check saw so many hours after the start."""
    return Observation(status, START + timedelta(hours=hours), detail, **more)  # type: ignore[arg-type]  # texts only


def judged(*observations: Observation) -> Standing:
    """What is believed after all of them."""
    standing = Standing()
    for one in observations:
        standing = judge(standing, one)
    return standing


@st.composite
def histories(draw: st.DrawFn) -> list[Observation]:
    """Up to 20 checks, minutes to months apart."""
    hours, found = 0.0, []
    for _ in range(draw(st.integers(1, 20))):
        hours += draw(st.sampled_from((0.02, 1, 24, 71.9, 72, 100, 2_000)))
        status = draw(st.sampled_from(STATUSES))
        details = (None, LinkDetail.NXDOMAIN, LinkDetail.RESOLVER_FAILED)
        detail = draw(st.sampled_from(details)) if status is LinkStatus.DNS_FAILURE else None
        found.append(seen(status, hours, detail))
    return found


@given(histories())
def test_a_link_dies_only_of_three_strikes_over_six_days_or_two_final_sights(history: list[Observation]) -> None:
    standing, since = Standing(), list[Observation]()
    for one in history:
        standing = judge(standing, one)
        since = [] if one.is_success else [*since, one]
        if standing.verdict is Verdict.DEAD:
            strikes = [sight for sight in since if sight.status in STRIKES]
            final = [s for s in since if s.status is LinkStatus.GONE or s.detail is LinkDetail.NXDOMAIN]
            spread = strikes[-1].fetched_at - strikes[0].fetched_at
            assert len(final) >= 2 or (len(strikes) >= 3 and spread >= timedelta(days=6))


@given(histories(), st.sampled_from(sorted(SUCCESSES)))
def test_a_success_forgives_everything(history: list[Observation], status: LinkStatus) -> None:
    before = judged(*history)
    after = judge(before, seen(status, 100_000))
    assert (after.verdict, after.failures, after.strikes, after.struck_at, after.final_sights) == (
        *(Verdict.ALIVE, 0, 0, None, 0),
    )
    assert after.streak == before.streak + 1


@given(histories())
def test_the_same_observation_again_changes_nothing(history: list[Observation]) -> None:
    standing = judged(*history)
    assert judge(standing, history[-1]) == standing
    assert judge(standing, history[0]) == standing


@given(st.lists(st.sampled_from(PASSING), min_size=1, max_size=30))
def test_what_a_server_refuses_or_may_pass_never_kills(statuses: list[LinkStatus]) -> None:
    standing = judged(*(seen(status, 100 * number) for number, status in enumerate(statuses)))
    assert standing.verdict is Verdict.INCONCLUSIVE
    assert (standing.failures, standing.strikes) == (len(statuses), 0)


def test_the_third_strike_three_days_apart_is_death() -> None:
    day = 24.0
    assert judged(seen(LinkStatus.NOT_FOUND, 0)).verdict is Verdict.SUSPECT
    hasty = judged(*(seen(LinkStatus.NOT_FOUND, hour) for hour in (0, 1, 2, 3 * day, 4 * day, 5.9 * day)))
    assert (hasty.verdict, hasty.strikes, hasty.failures) == (Verdict.SUSPECT, 2, 6)
    dead = judged(*(seen(LinkStatus.NOT_FOUND, days * day) for days in (0, 3, 6)))
    assert (dead.verdict, dead.strikes) == (Verdict.DEAD, 3)


def test_gone_and_a_name_that_is_no_more_are_believed_the_second_time() -> None:
    assert judged(seen(LinkStatus.GONE, 0)).verdict is Verdict.SUSPECT
    assert judged(seen(LinkStatus.GONE, 0), seen(LinkStatus.GONE, 1)).verdict is Verdict.DEAD
    missing = [seen(LinkStatus.DNS_FAILURE, hour, LinkDetail.NXDOMAIN) for hour in (0, 1)]
    assert judged(*missing).verdict is Verdict.DEAD
    ours = [seen(LinkStatus.DNS_FAILURE, 100 * n, LinkDetail.RESOLVER_FAILED) for n in range(9)]
    assert judged(*ours).verdict is Verdict.INCONCLUSIVE  # our own resolver, or a passing fault


def test_a_refusal_makes_a_dead_link_doubtful_again() -> None:
    dead = [seen(LinkStatus.GONE, 0), seen(LinkStatus.GONE, 1)]
    assert judged(*dead, seen(LinkStatus.FORBIDDEN_OR_BOT_BLOCKED, 2)).verdict is Verdict.SUSPECT
    assert judged(*dead, seen(LinkStatus.TIMEOUT, 2), seen(LinkStatus.NOT_FOUND, 3)).verdict is Verdict.DEAD


def test_a_permanent_redirect_is_offered_when_it_was_seen_twice() -> None:
    here = seen(LinkStatus.REDIRECTED_PERMANENT, 0, permanent_url="https://new.example/")
    there = seen(LinkStatus.REDIRECTED_PERMANENT, 0, permanent_url="https://newer.example/")
    once = moved(Move(), here)
    assert (once.sights, once.offered) == (1, None)
    twice = moved(once, here)
    assert twice.offered == "https://new.example/"
    assert moved(twice, seen(LinkStatus.TIMEOUT, 1)) == twice
    assert moved(twice, there) == Move("https://newer.example/", 1)
    assert moved(twice, seen(LinkStatus.OK, 1)) == Move()

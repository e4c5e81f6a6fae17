"""Voting, normal forms, choosing and the taxonomy, without a database."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.categorization.evidence import AlikeRow
from db.categorization.suggestions import ProposalKind, ProposalSource
from kit.errors import BadInput
from services.categorization.choosing import LEAST, MOST, Candidate, Has, chosen
from services.categorization.normal import known_form, normal
from services.categorization.taxonomy import TAXONOMY, PageWords, tell
from services.categorization.vocabulary import MAX_CHARS, MAX_TAGS, meant, shown
from services.categorization.voting import Neighbour, bounded, learned, vote

NAMES_OF_25 = (
    "Technology Development AI/ML Cloud/DevOps Security Business Finance Education Science Health News Entertainment"
    " Social_Media Shopping Travel Food Sports Arts Reference Government Tools/Utilities Personal Other"
)


def near(number: int, similarity: float, *labels: str) -> Neighbour[str]:
    return Neighbour(UUID(int=number), similarity, frozenset(labels))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Web-Design", "web design"),
        ("WebDesign", "web_design"),
        ("Databases", "database"),
        ("libraries", "Library"),
        ("boxes", "box"),
        ("dev/Python", "Dev / python"),
        ("Node.js", "nodejs"),
        ("ＲＵＳＴ", "rust"),
    ],
)
def test_names_that_mean_the_same(one: str, other: str) -> None:
    assert normal(one) == normal(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("news", "new"), ("css", "cs"), ("c++", "c"), ("dev/python", "python"), ("physics", "physic"), ("c#", "c")],
)
def test_names_that_do_not(one: str, other: str) -> None:
    assert normal(one) != normal(other)


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing(text: str) -> None:
    try:
        once = normal(text)
    except BadInput:
        return
    assert normal(once) == once


def test_a_name_means_the_only_tag_that_ends_so() -> None:
    assert known_form("python", {"dev/python", "dev/rust"}) == "dev/python"
    assert known_form("python", {"dev/python", "snake/python"}) is None
    assert known_form("python", {"dev/python", "python"}) == "python"
    assert known_form("x/python", {"dev/python"}) is None


def test_the_exact_tag_wins_over_one_that_means_the_same() -> None:
    rows = [AlikeRow(UUID(int=number), path, path) for number, path in enumerate(("database", "databases"))]
    assert meant("Databases", rows) == rows[1]
    assert meant("data-base", rows) == rows[0]
    assert meant("music", rows) is None
    assert meant(" / ", rows) is None


def test_nearer_neighbours_count_for_more() -> None:
    votes = vote([near(1, 0.9, "rust"), near(2, 0.4, "cooking")], {"rust": 3, "cooking": 3}, 100)
    assert votes["rust"].confidence > 0.6
    assert votes["cooking"].confidence < 0.1
    assert votes["rust"].supporters == 1


def test_a_tag_of_everything_does_not_win() -> None:
    alike = [near(number, 0.7, "read-later", "rust") for number in range(5)]
    votes = vote(alike, {"read-later": 950, "rust": 20}, 1_000)
    assert votes["rust"].confidence > votes["read-later"].confidence + 0.15


def test_who_is_not_similar_has_no_vote() -> None:
    assert vote([near(1, 0.2, "rust"), near(2, -1.0, "go")], {}, 10) == {}
    assert vote([], {}, 0) == {}


def test_one_neighbour_is_less_sure_than_five() -> None:
    one = vote([near(1, 0.6, "rust")], {"rust": 5}, 100)["rust"]
    five = vote([near(number, 0.6, "rust") for number in range(5)], {"rust": 5}, 100)["rust"]
    assert one.confidence < five.confidence
    assert five.supporters == 5


similarities = st.floats(-1, 1) | st.just(float("nan"))
neighbours = st.lists(
    st.builds(near, st.integers(0, 9), similarities, st.sampled_from("abcd"), st.sampled_from("abcd")), max_size=12
)


@given(neighbours, st.dictionaries(st.sampled_from("abcd"), st.integers(-5, 10**6)), st.integers(0, 10**6))
def test_a_confidence_is_between_0_and_1(alike: list[Neighbour[str]], frequency: dict[str, int], size: int) -> None:
    votes = vote(alike, frequency, size)
    assert all(0 <= one.confidence <= 1 for one in votes.values())
    assert set(votes) <= {label for one in alike for label in one.labels}


@given(st.floats(allow_nan=True), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_decision_weighs_and_stays_within_bounds(confidence: float, accepted: int, rejected: int) -> None:
    weighed = learned(confidence, accepted, rejected)
    assert 0 <= weighed <= bounded(confidence)
    assert learned(confidence, accepted, rejected + 1) <= weighed


candidates = st.lists(
    st.builds(
        Candidate,
        kind=st.sampled_from(ProposalKind),
        key=st.sampled_from(("a", "b", "a/b", "c", "d", "e", "f", "g")),
        name=st.just("n"),
        confidence=st.floats(allow_nan=True),
        reason=st.just("r"),
        source=st.sampled_from(ProposalSource),
        target_id=st.none() | st.just(UUID(int=1)),
    ),
    max_size=30,
)
has = st.builds(
    Has,
    tags=st.frozensets(st.sampled_from(("a", "b", "a/b", "c"))),
    collections=st.frozensets(st.sampled_from(("a", "b"))),
    is_categorized=st.booleans(),
)
refusals = st.frozensets(st.tuples(st.sampled_from([kind.value for kind in ProposalKind]), st.sampled_from("abc")))


@given(candidates, has, refusals, st.booleans())
def test_never_what_is_there_or_was_refused_and_never_too_much(
    some: list[Candidate], there: Has, rejected: frozenset[tuple[str, str]], new_tags: bool
) -> None:
    picked = chosen(some, there, rejected=rejected, propose_new_tags=new_tags)
    assert len({(one.kind, one.key) for one in picked}) == len(picked)
    for one in picked:
        assert not there.covers(one)
        assert (one.kind.value, one.key) not in rejected
        assert LEAST[one.kind] <= one.confidence <= 1
        assert new_tags or one.kind is not ProposalKind.TAG or one.target_id is not None
    for kind, most in MOST.items():
        assert sum(one.kind is kind for one in picked) <= most


def test_a_tag_covers_those_above_it() -> None:
    tag = Candidate(ProposalKind.TAG, "dev", "dev", 0.9, "r", ProposalSource.PROVIDER, UUID(int=1))
    assert chosen([tag], Has(tags=frozenset({"dev/python"}))) == []
    assert chosen([tag], Has(tags=frozenset({"devops"}))) == [tag]


def test_the_surer_of_two_candidates_is_taken() -> None:
    sources = (ProposalSource.NEIGHBOURS, ProposalSource.PROVIDER)
    low, high = (
        Candidate(ProposalKind.TAG, "rust", "rust", confidence, "r", source, UUID(int=1))
        for confidence, source in zip((0.4, 0.8), sources, strict=True)
    )
    assert chosen([low, high], Has()) == [high]
    assert chosen([low], Has(), verdicts={("TAG", "rust"): (0, 3)}) == []


def test_the_taxonomy_is_that_of_the_origin() -> None:
    assert [one.name for one in TAXONOMY] == [name.replace("_", " ") for name in NAMES_OF_25.split()]
    assert len({one.key for one in TAXONOMY}) == 23


@pytest.mark.parametrize(
    ("page", "category"),
    [
        (PageWords("github.com", title="pallets/flask: a Python web framework"), "Development"),
        (PageWords("example.org", title="Sourdough bread recipe", text="Baking bread in your kitchen"), "Food"),
        (PageWords("nytimes.com", title="Election results"), "News"),
        (PageWords("example.org", title="Cheap flights and hotels for your trip"), "Travel"),
        (PageWords("example.org", title="CVE-2024-1: exploit in a firewall", text="Vulnerabilities"), "Security"),
        (PageWords("en.wikipedia.org", title="Atlas"), "Reference"),
        (PageWords("example.org", title="Kubernetes operators", address="docs docker cluster"), "Cloud/DevOps"),
    ],
)
def test_words_and_sites_tell_a_category(page: PageWords, category: str) -> None:
    told = tell(page)
    assert told is not None
    assert told.prototype.name == category
    assert 0 < told.confidence <= 1
    assert told.by


def test_nothing_is_told_where_nothing_speaks() -> None:
    assert tell(PageWords("example.org", title="zzz")) is None
    assert tell(PageWords("")) is None


def test_a_model_is_shown_so_much_and_no_more() -> None:
    paths = [f"tag{number}" for number in range(500)]
    assert shown(paths) == tuple(paths[:MAX_TAGS])
    long = ["x" * 400] * 2 + ["y" * 700, "z" * 390, "w" * 20]
    assert shown(long) == ("x" * 400, "y" * 700, "z" * 390)
    assert sum(map(len, shown(long))) <= MAX_CHARS

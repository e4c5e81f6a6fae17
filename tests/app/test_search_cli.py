"""`graphmark search` and `graphmark seed`, run in this process against a real database."""

import json
import sys
from collections.abc import Callable

import pytest

from app import cli
from app.cli import support
from db.unit import Database
from kit.settings import environment_with

Run = Callable[..., int]


@pytest.fixture
def run(dsn: str, database: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on this worker's empty database; return its exit code."""
    del database
    for name in [name for name in environment_with() if name.startswith("GRAPHMARK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GRAPHMARK_DATABASE_URL", dsn)
    monkeypatch.setattr(support, "configure_logging", lambda **_: None, raising=False)  # this process is pytest's

    def call(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["graphmark", *arguments])
        with pytest.raises(SystemExit) as left:
            cli.main()
        return int(left.value.code or 0)

    return call


def test_an_account_is_filled_and_searched(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("seed", "--bookmarks", "500", "--user", "ada@example.org", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["user"], told["added"]) == ("ada@example.org", 500)
    assert len(told["password"]) == 16
    assert run("seed", "--bookmarks", "500", "--user", "ada@example.org", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["password"], told["added"]) == (None, 0)

    assert run("search", "title:guide -is:archived", "--user", "Ada@Example.org", "--first", "2", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [("guide" in node["title"].lower()) for node in found["nodes"]] == [True, True]
    assert found["totalCount"] > 50
    assert found["isTotalCountCapped"] is False
    assert found["queryExplanation"].startswith("Full text: “guide” in the title and not archived.")

    assert run("search", "title:guide", "--user", "ada@example.org", "--first", "3") == 0
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 6
    assert shown.out.splitlines()[1].startswith("  https://")
    assert shown.err.endswith(" found\n")


def test_a_seed_tells_the_password_of_a_new_account(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("seed", "--bookmarks", "10") == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("Added 10 bookmarks to seed@graphmark.example in ")
    assert shown[1].startswith("The account is new; its password is ")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (
            ("search", "x", "--user", "nobody@example.org"),
            1,
            "There is no account with the address nobody@example.org.",
        ),
        (("search", "x"), 2, "Missing option '--user'"),
        (("seed", "--bookmarks", "0"), 2, "0 is not in the range 1<=x<=1000000"),
        (("seed", "--bookmarks", "5", "--user", "no address"), 1, "graphmark: "),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    run: Run, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, told: str
) -> None:
    assert run(*arguments) == code
    assert told in capsys.readouterr().err


def test_a_fault_in_the_query_is_told_with_its_place(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("seed", "--bookmarks", "1") == 0
    assert run("search", "is:red", "--user", "seed@graphmark.example") == 1
    assert capsys.readouterr().err == (
        "graphmark: At character 4 of the query:"
        " expected one of favorite, archived, unread, tagged, untagged, dead, broken, duplicate behind `is:`."
        " Did you mean `is:unread`?\n"
    )

"""Laying out a new domain."""

from pathlib import Path

import pytest

from tools import domain


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with the folders of the layers."""
    monkeypatch.setattr(domain, "ROOT", tmp_path)
    for path in domain.FILES:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    return tmp_path


def test_every_layer_gets_the_same_noun(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert domain.main(["highlights"]) == 0
    written = sorted(str(path.relative_to(root)) for path in root.rglob("*highlights.py"))
    assert written == sorted(path.format(name="highlights") for path in domain.FILES)
    assert (root / "services" / "highlights.py").read_text().startswith('"""What is true of highlights: ')
    assert "HighlightsQuery" in capsys.readouterr().err


def test_nothing_that_exists_is_touched(root: Path) -> None:
    (root / "db" / "highlights.py").write_text("mine")
    assert domain.main(["highlights"]) == 0
    assert (root / "db" / "highlights.py").read_text() == "mine"
    assert domain.main(["highlights"]) == 1


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("arguments", [[], [""], ["High"], ["a-b"], ["../x"], ["a", "b"]])
def test_a_name_that_is_none_is_refused(arguments: list[str]) -> None:
    assert domain.main(arguments) == 2

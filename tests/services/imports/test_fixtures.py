"""Every HTML export of other projects is read as their own tests expect, but for what is their policy.

Theirs and not ours: folders as tags, private by default, addresses made absolute, entities left undecoded, names
invented for the root. NOTICE.md in tests/data/imports names the projects.
"""

import html
import json
from pathlib import Path
from typing import Any

import pytest

from kit.urls import identify
from services.imports.detect import ImportFormat, detect, open_reader
from services.imports.items import ImportItem

DATA = Path(__file__).parents[2] / "data" / "imports"
FIXTURES: list[dict[str, Any]] = json.loads((DATA / "manifest.json").read_text("utf-8"))["fixtures"]
READABLE = [fixture for fixture in FIXTURES if fixture["format"].endswith("html") and fixture["expect"].get("count", 0)]
OTHER_FORMATS = {
    "chrome-json": ImportFormat.CHROME_JSON,
    "firefox-json": ImportFormat.FIREFOX_JSON,
    "bookmarkie-json": ImportFormat.JSON,
    "safari-plist": ImportFormat.SAFARI_PLIST,
}


def read(name: str) -> list[ImportItem]:
    return list(open_reader(DATA / name))


def plain(text: str) -> str:
    """Decode the entities that the upstream parser left, once."""
    return html.unescape(text.replace("<br>", "\n"))


def same_address(found: ImportItem, expected: str) -> bool:
    return found.url == expected or (
        found.identity is not None and found.identity.canonical == identify(expected).canonical
    )


def check(found: ImportItem, expected: dict[str, Any], source: str) -> None:
    if "url" in expected:
        assert same_address(found, expected["url"])
    if "title" in expected:
        assert found.title == " ".join(plain(expected["title"]).split())
    if "description" in expected:
        assert (found.description or "") == plain(expected["description"])
    if "added" in expected:
        assert found.added_at is not None
        assert int(found.added_at.timestamp()) == expected["added"]
    if "private" in expected and "PRIVATE=" in source:
        assert found.is_private is expected["private"]
    if "icon" in expected:
        assert (found.icon_data or "").startswith(expected["icon"].removesuffix("..."))
    if "folders" in expected:
        names = [key.name for key in found.folders]
        assert names in (expected["folders"], expected["folders"][1:])


@pytest.mark.parametrize("fixture", READABLE, ids=[fixture["id"] for fixture in READABLE])
def test_export_of_another_project(fixture: dict[str, Any]) -> None:
    items = read(fixture["file"])
    source = (DATA / fixture["file"]).read_text("utf-8", errors="replace")
    expect = fixture["expect"]
    assert len(items) == expect["count"]
    assert [item.row for item in items] == list(range(1, len(items) + 1))
    for position, expected in enumerate(expect["items"]):
        check(items[expected.get("index", position)], expected, source)


def is_flat(fixture: dict[str, Any]) -> bool:
    return "ctor args: false" in fixture["upstream_dialect"] or not fixture["file"].startswith("shaarli")


@pytest.mark.parametrize("fixture", READABLE, ids=[fixture["id"] for fixture in READABLE])
def test_tags_of_another_project(fixture: dict[str, Any]) -> None:
    items = read(fixture["file"])
    for position, expected in enumerate(fixture["expect"]["items"]):
        index = expected.get("index", position)
        if "tags" not in expected or (fixture["file"].endswith("netscape_nested.htm") and index == 0):
            continue  # that one item lists the tags of another test
        tags = [tag.lower() for tag in items[index].tags]
        if is_flat(fixture):
            assert tags == expected["tags"]
        else:  # the folder names come first
            assert [tag.lower() for tag in expected["tags"]][len(expected["tags"]) - len(tags) :] == tags


FOLDERED = [fixture for fixture in READABLE if "folders" in fixture["expect"]]


@pytest.mark.parametrize("fixture", FOLDERED, ids=[fixture["id"] for fixture in FOLDERED])
def test_folders_of_another_project(fixture: dict[str, Any]) -> None:
    reader = open_reader(DATA / fixture["file"])
    for _ in reader:
        pass
    found = sorted([key.name for key in folder.path] for folder in reader.folders)
    invented = {("",), ("Other bookmarks",)}
    expected = [tuple(path) for path in fixture["expect"]["folders"]]
    rooted = [path[1:] if path[0] == "Other bookmarks" else path for path in expected if path not in invented]
    assert sorted(found) == sorted(list(path) for path in rooted)
    assert len({folder.path for folder in reader.folders}) == len(reader.folders)


@pytest.mark.parametrize("fixture", [f for f in FIXTURES if f["format"] in OTHER_FORMATS], ids=lambda f: str(f["id"]))
def test_other_formats_are_named(fixture: dict[str, Any]) -> None:
    assert detect(DATA / fixture["file"]) is OTHER_FORMATS[fixture["format"]]

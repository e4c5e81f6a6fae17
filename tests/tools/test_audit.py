"""The audit of dependencies: what it asks, what fails it, and what it says when nobody answers."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tools import audit
from tools.audit import Package


class Osv(BaseHTTPRequestHandler):
    """Knows one weakness of one version."""

    answer: ClassVar[bytes | None] = None
    asked: ClassVar[list[Any]] = []

    def do_POST(self) -> None:
        """Answer a batch."""
        queries = json.loads(self.rfile.read(int(self.headers["content-length"])))["queries"]
        self.asked.extend(queries)
        known = {"package": {"name": "weak", "ecosystem": "PyPI"}, "version": "1.0"}
        results = [{"vulns": [{"id": "GHSA-0000"}]} if query == known else {} for query in queries]
        body = self.answer if self.answer is not None else json.dumps({"results": results}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A checkout with one sound and one weak package and a service that knows; what is said."""
    (tmp_path / "requirements.txt").write_text(
        "weak==1.0 \\\n    --hash=sha256:00\nsound==2.0 ; python_version > '3'\n"
    )
    (tmp_path / "pyproject.toml").write_text("[tool.other]\n")
    for path in audit.NPM_LOCKS:
        (tmp_path / path).parent.mkdir(parents=True)
        lock = {"packages": {"": {"version": "0"}, "node_modules/a/node_modules/@x/weak": {"version": "1.0"}}}
        (tmp_path / path).write_text(json.dumps(lock))
    lines: list[str] = []
    monkeypatch.setattr(audit, "ROOT", tmp_path)
    monkeypatch.setattr(audit, "say", lines.append)
    Osv.answer, Osv.asked = None, []
    server = HTTPServer(("127.0.0.1", 0), Osv)
    monkeypatch.setenv(audit.SERVICE_VARIABLE, f"http://127.0.0.1:{server.server_port}/v1/querybatch")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield lines
    server.shutdown()
    thread.join()
    server.server_close()


def excuse(tmp_path: Path, *, days: int) -> None:
    """Excuse the weakness for some days more, or until some days ago."""
    until = datetime.now(UTC).date() + timedelta(days=days)
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.graphmark.audit]\nGHSA-0000 = {{ reason = "not reachable", until = {until} }}\n'
    )


def test_a_weakness_fails_and_is_named(said: list[str]) -> None:
    assert audit.main() == 1
    assert said == ["audit: weak 1.0 (PyPI): https://osv.dev/vulnerability/GHSA-0000"]
    names = [(query["package"]["ecosystem"], query["package"]["name"], query["version"]) for query in Osv.asked]
    assert names == [("PyPI", "sound", "2.0"), ("PyPI", "weak", "1.0"), ("npm", "@x/weak", "1.0")]


def test_an_excuse_holds_until_its_day(said: list[str], tmp_path: Path) -> None:
    excuse(tmp_path, days=0)
    assert (audit.main(), said) == (0, [])
    excuse(tmp_path, days=-1)
    assert audit.main() == 1
    assert said[0].startswith("audit: the excuse for GHSA-0000 ended on ")


def test_nobody_to_ask_is_said_and_does_not_fail(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(audit.SERVICE_VARIABLE, "http://127.0.0.1:1/v1/querybatch")
    assert audit.main() == 0
    assert len(said) == 1
    assert said[0].startswith("audit: nobody to ask, so nothing was checked: ")


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"results": []}', b'{"results": {}}', b"\xff", b"null"])
def test_nonsense_is_no_answer(said: list[str], answer: bytes) -> None:
    Osv.answer = answer
    assert audit.main() == 0
    assert len(said) == 1


def test_the_lock_files_of_this_project_are_read() -> None:
    packages = set(audit.locked(Path(__file__).parents[2]))
    assert {package.ecosystem for package in packages} == {"PyPI", "npm"}
    assert len(packages) > 300
    assert any(package.name == "graphql-core" for package in packages)
    assert Package("PyPI", "graphmark", "0.1.0") not in packages

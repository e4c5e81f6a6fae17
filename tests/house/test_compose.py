"""docker-compose.yml is valid, starts everything in order, and gives away no password."""

import re
import subprocess
import sys
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.house.project import ROOT

COMPOSE = ROOT / "docker-compose.yml"
OURS = ("api", "worker", "scheduler", "migrate")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    loaded = YAML(typ="safe").load(COMPOSE.read_text())
    return dict(loaded["services"])


def test_it_follows_the_compose_schema() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603  fixed words
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_secret_has_a_default() -> None:
    secrets = re.findall(r"\$\{(\w*(?:PASSWORD|SECRET|KEY|TOKEN)\w*)(.)", COMPOSE.read_text())
    assert {name for name, _ in secrets} == {"POSTGRES_PASSWORD"}
    assert all(f"${{{name}:?" in COMPOSE.read_text() for name, _ in secrets)
    assert not re.search(r"\$\{\w*(?:PASSWORD|SECRET|KEY|TOKEN)\w*(?::?-|\})", COMPOSE.read_text())


def test_nothing_of_ours_starts_before_the_schema_is_there(services: dict[str, Any]) -> None:
    for name in ("api", "worker", "scheduler"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}


def test_every_lasting_service_tells_its_health(services: dict[str, Any]) -> None:
    image_tells = "HEALTHCHECK" in (ROOT / "Dockerfile").read_text()
    silent = [
        name
        for name, service in services.items()
        if "healthcheck" not in service and not (image_tells and name == "api")
    ]
    assert not silent


def test_ours_run_without_rights(services: dict[str, Any]) -> None:
    for name in OURS:
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["read_only"] is True
    assert re.search(r"^USER graphmark$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


def test_the_database_is_not_published(services: dict[str, Any]) -> None:
    assert [name for name, service in services.items() if "ports" in service] == ["api"]

"""Settings from an environment."""

from pathlib import Path

import pytest

from kit.errors import BadInput
from kit.settings import LogLevel, Registration, Settings, Toggle, load_settings


def test_an_empty_environment_gives_the_defaults() -> None:
    assert load_settings({}) == Settings()


def test_each_kind_of_value_is_read() -> None:
    settings = load_settings(
        {
            "GRAPHMARK_DATA_DIR": "somewhere/else",
            "GRAPHMARK_PORT": " 9000 ",
            "GRAPHMARK_BASE_URL": "https://links.example.org:8443/",
            "GRAPHMARK_LOG_LEVEL": "Debug",
            "GRAPHMARK_REGISTRATION": "Closed",
            "GRAPHMARK_INTROSPECTION": "never",
            "GRAPHMARK_STATEMENT_TIMEOUT_SECONDS": "2.5",
            "GRAPHMARK_DATABASE_URL": "postgresql://there/db",
            "UNRELATED": "x",
        }
    )
    assert settings == Settings(
        data_dir=Path("somewhere/else"),
        port=9000,
        base_url="https://links.example.org:8443/",
        log_level=LogLevel.DEBUG,
        registration=Registration.CLOSED,
        introspection=Toggle.NEVER,
        statement_timeout_seconds=2.5,
        database_url="postgresql://there/db",
    )


def test_lists_of_networks_and_ports_are_read() -> None:
    settings = load_settings(
        {
            "GRAPHMARK_ALLOW_PRIVATE_NETWORKS": "192.168.1.0/24, fd00::/8,10.1.2.3",
            "GRAPHMARK_FETCH_PORTS": "80, 443",
            "GRAPHMARK_USER_AGENT_CONTACT": "mailto:links@example.org",
        }
    )
    assert list(map(str, settings.allow_private_networks)) == ["192.168.1.0/24", "fd00::/8", "10.1.2.3/32"]
    assert settings.fetch_ports == (80, 443)
    assert settings.user_agent_contact == "mailto:links@example.org"


def test_the_prefixed_address_wins_over_the_bare_one() -> None:
    bare = {"DATABASE_URL": "postgresql://bare/db", "REDIS_URL": "redis://bare"}
    assert load_settings(bare).database_url == "postgresql://bare/db"
    assert load_settings(bare).redis_url == "redis://bare"
    assert (
        load_settings({**bare, "GRAPHMARK_DATABASE_URL": "postgresql://own/db"}).database_url == "postgresql://own/db"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "-1"),
        ("PORT", "70000"),
        ("MAX_QUERY_DEPTH", "0"),
        ("REGISTRATION", "maybe"),
        ("WORKERS", "1.5"),
        ("STATEMENT_TIMEOUT_SECONDS", "inf"),
        ("STATEMENT_TIMEOUT_SECONDS", "nan"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("BASE_URL", "links.example.org"),
        ("BASE_URL", "ftp://links.example.org"),
        ("BASE_URL", "https://"),
        ("BASE_URL", "https://example.org/links"),
        ("ALLOW_PRIVATE_NETWORKS", "192.168.1.7/24"),
        ("ALLOW_PRIVATE_NETWORKS", "10.0.0.0/8,home"),
        ("ALLOW_PRIVATE_NETWORKS", "::ffff:10.0.0.0/104"),
        ("FETCH_PORTS", "80,0"),
        ("FETCH_PORTS", "443;80"),
        ("USER_AGENT_CONTACT", "me at home"),
        ("ARCHIVE_URL", "archive.org/wayback/available"),
        ("ARCHIVE_URL", "ftp://archive.org/"),
        ("ARCHIVE_URL", "https://archive.org:x/"),
        ("LINK_RECHECK_CRON", "99 3 . . ."),
        ("LINK_RECHECK_CRON", "0 3 30 2 0/2"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(BadInput, match=f"GRAPHMARK_{name}='{value}' cannot be used"):
        load_settings({f"GRAPHMARK_{name}": value})


def test_a_short_secret_key_is_refused_without_being_shown() -> None:
    with pytest.raises(BadInput) as refused:
        load_settings({"GRAPHMARK_SECRET_KEY": "hunter2"})
    assert refused.value.message == (
        "GRAPHMARK_SECRET_KEY cannot be used: expected at least 32 characters, such as `openssl rand -hex 32` prints."
    )
    assert load_settings({"GRAPHMARK_SECRET_KEY": " " + "k" * 32}).secret_key == "k" * 32


@pytest.mark.parametrize(
    ("settings", "origin"),
    [
        (Settings(), "http://127.0.0.1:8000"),
        (Settings(host="0.0.0.0", port=80), "http://localhost:80"),
        (Settings(host="::1"), "http://[::1]:8000"),
        (Settings(base_url="https://marks.example.org/"), "https://marks.example.org"),
    ],
)
def test_the_address_that_people_use(settings: Settings, origin: str) -> None:
    assert settings.origin == origin


def test_secrets_do_not_show() -> None:
    shown = repr(
        Settings(database_url="postgresql://u:hunter2@h/db", redis_url="redis://:hunter2@h", secret_key="hunter2")
    )
    assert "hunter2" not in shown

"""What devices are called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth import device_name

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605 (KHTML, like Gecko) Safari/604.1"
ANDROID = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "Firefox on Linux"),
        (CHROME, "Chrome on Windows"),
        (CHROME + " Edg/126.0", "Edge on Windows"),
        (IPHONE, "Safari on iPhone"),
        (ANDROID, "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5)", "macOS"),
        ("curl/8.5.0", "curl"),
        ("python-httpx/0.28", "python-httpx"),
        ("my tool", "my tool"),
        ("", "Unknown device"),
        ("Mozilla/5.0", "Unknown device"),
        ("<script>alert(1)</script>", "Unknown device"),
        ("x" * 500, "x" * 40),
    ],
)
def test_a_device_has_a_readable_name(user_agent: str, name: str) -> None:
    assert device_name(user_agent) == name


@given(st.text(max_size=400))
def test_a_name_is_short_and_printable(user_agent: str) -> None:
    name = device_name(user_agent)
    assert 1 <= len(name) <= 60
    assert name.isprintable()

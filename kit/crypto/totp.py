"""Time-based one-time codes (RFC 6238): six digits that an app and the server both make from a secret and the time."""

import hmac
from typing import Final
from urllib.parse import quote

import pyotp
import segno

STEP_SECONDS: Final = 30
WINDOW_STEPS: Final = 1
"""How far a phone's clock may be off, before and after (RFC 6238 §5.2; OWASP ASVS 5.0, 6.5.5)."""

_SECRET_CHARS = 32  # of base32: 160 bits, what RFC 4226 §4 R6 recommends
_QR_SCALE_PIXELS = 5


def new_totp_secret() -> str:
    """Return 160 random bits in base32, as authenticator apps take them."""
    return pyotp.random_base32(_SECRET_CHARS)


def matching_step(secret: str, code: str, *, unix_seconds: float) -> int | None:
    """Return the step of time that six digits belong to, or None when they fit none of the window.

    A step is counted in 30 seconds since 1970. All steps of the window are compared, whichever fits.
    """
    now = int(unix_seconds) // STEP_SECONDS
    codes = pyotp.TOTP(secret, interval=STEP_SECONDS)
    fitting = [
        step
        for step in range(now - WINDOW_STEPS, now + WINDOW_STEPS + 1)
        if hmac.compare_digest(codes.at(step * STEP_SECONDS).encode(), code.encode())
    ]
    return fitting[-1] if fitting else None


def otpauth_uri(secret: str, *, account: str, issuer: str) -> str:
    """Return what a QR code tells an authenticator app. A colon would end the issuer's name, so it holds none."""
    issuer = issuer.replace(":", " ")
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?secret={secret}&issuer={quote(issuer)}"


def qr_code_data_url(text: str) -> str:
    """Return a QR code of `text` as a PNG picture in a `data:` address; some 15 ms of work."""
    return str(segno.make(text, error="m", micro=False).png_data_uri(scale=_QR_SCALE_PIXELS))

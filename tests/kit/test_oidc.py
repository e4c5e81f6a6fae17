"""What an ID token has to be before it is believed."""

from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
import pytest_asyncio
from joserfc.jwk import ECKey, OctKey

from kit.errors import Unauthenticated, Unavailable
from kit.fetch import Fetcher
from kit.oidc import IdentityProvider, is_safe_address
from tests.fakes.issuer import CLIENT_ID, CODE, SECRET, Issuer, rsa

HOME = "https://links.example.org/sign-in/oidc/callback"


@pytest_asyncio.fixture(loop_scope="session")
async def issuer() -> AsyncIterator[Issuer]:
    async with Issuer() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def provider(issuer: Issuer) -> AsyncIterator[IdentityProvider]:
    async with Fetcher(user_agent="test") as fetcher:
        yield provider_of(issuer, fetcher)


def provider_of(issuer: Issuer, fetcher: Fetcher) -> IdentityProvider:
    return IdentityProvider(fetcher, issuer=issuer.name, client_id=CLIENT_ID, client_secret=SECRET, redirect_uri=HOME)


async def test_a_browser_leaves_with_a_challenge_and_comes_back_as_somebody(
    issuer: Issuer, provider: IdentityProvider
) -> None:
    departure = await provider.depart()
    url = urlsplit(departure.url)
    query = {name: value for name, (value,) in parse_qs(url.query).items()}
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{issuer.name}/authorize"
    assert departure.verifier not in departure.url
    assert query.pop("code_challenge") != ""
    assert query == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": HOME,
        "scope": "openid profile email",
        "state": departure.state,
        "nonce": departure.nonce,
        "code_challenge_method": "S256",
    }

    issuer.token = issuer.sign(issuer.claims(departure.nonce))
    claims = await provider.arrive(CODE, None, departure)

    assert (claims.issuer, claims.subject, claims.text("email")) == (issuer.name, "0001", "ada@example.org")
    assert claims.holds("email_verified")
    assert claims.texts("groups") == {"readers"}
    assert issuer.asked == ["/.well-known/openid-configuration", "/token", "/keys"]
    sent = parse_qs(issuer.bodies[1])
    assert (sent["code"], sent["code_verifier"], sent["redirect_uri"]) == ([CODE], [departure.verifier], [HOME])


WRONG: dict[str, dict[str, Any]] = {
    "of another issuer": {"iss": "https://evil.example"},
    "for another client": {"aud": "another"},
    "for several, meant for another": {"aud": [CLIENT_ID, "another"], "azp": "another"},
    "of another sign-in": {"nonce": "another"},
    "without a nonce": {"nonce": None},
    "expired": {"exp": 1_700_000_000},
    "without an end": {"exp": None},
    "of the future": {"iat": 4_000_000_000},
    "of nobody": {"sub": None},
    "of somebody without a name": {"sub": ""},
    "of a number": {"sub": 1},
    "for another access token": {"at_hash": "AAAA"},
}
FORGED: dict[str, Callable[[Issuer, dict[str, Any]], str]] = {
    "by a key of the same name": lambda issuer, claims: issuer.sign(
        claims, key=ECKey.generate_key("P-256", {"kid": "first"})
    ),
    "by a key that nobody published": lambda issuer, claims: issuer.sign(claims, key=rsa()),
    "by the public key as a password": lambda issuer, claims: issuer.sign(
        claims, key=OctKey.import_key(str(issuer.keys[0].as_dict(private=False)["x"]), {"kid": "first"})
    ),
    "by nobody": lambda _issuer, claims: unsigned(claims),
    "cut off": lambda issuer, claims: issuer.sign(claims)[:-4],
    "in no form": lambda _issuer, claims: str(claims),
}


def unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none"}, claims)
    return ".".join([*(urlsafe_b64encode(orjson.dumps(part)).decode().rstrip("=") for part in parts), ""])


@pytest.mark.parametrize("what", [*WRONG, *FORGED])
async def test_a_token_is_refused(issuer: Issuer, provider: IdentityProvider, what: str) -> None:
    departure = await provider.depart()
    claims = issuer.claims(**{"nonce": departure.nonce, **WRONG.get(what, {})})
    issuer.token = FORGED[what](issuer, claims) if what in FORGED else issuer.sign(claims)
    with pytest.raises(Unauthenticated, match="did not succeed"):
        await provider.arrive(CODE, None, departure)


async def test_a_code_that_is_not_accepted(provider: IdentityProvider) -> None:
    departure = await provider.depart()
    with pytest.raises(Unauthenticated, match="does not accept the code"):
        await provider.arrive("used", None, departure)


async def test_an_answer_says_whom_it_is_from(issuer: Issuer, provider: IdentityProvider) -> None:
    issuer.metadata = {"authorization_response_iss_parameter_supported": True}
    departure = await provider.depart()
    issuer.token = issuer.sign(issuer.claims(departure.nonce))
    for told in (None, "https://evil.example"):
        with pytest.raises(Unauthenticated, match="is not from it"):
            await provider.arrive(CODE, told, departure)
    assert (await provider.arrive(CODE, issuer.name, departure)).subject == "0001"


async def test_new_keys_are_looked_for_but_not_at_every_strange_name(
    issuer: Issuer, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    departure = await provider.depart()
    issuer.token = issuer.sign(issuer.claims(departure.nonce))
    await provider.arrive(CODE, None, departure)
    issuer.keys = [rsa()]
    issuer.token = issuer.sign(issuer.claims(departure.nonce))
    with pytest.raises(Unauthenticated):
        await provider.arrive(CODE, None, departure)  # within the minute
    assert issuer.asked.count("/keys") == 1

    monkeypatch.setattr("kit.oidc._PATIENCE_SECONDS", 0.0)
    assert (await provider.arrive(CODE, None, departure)).subject == "0001"
    assert issuer.asked.count("/keys") == 2


async def test_an_address_is_looked_for_where_the_token_has_none(issuer: Issuer, provider: IdentityProvider) -> None:
    departure = await provider.depart()
    issuer.token = issuer.sign(issuer.claims(departure.nonce, email=None, email_verified=None))
    issuer.userinfo = {"sub": "0001", "email": "ada@example.org", "email_verified": "true"}
    claims = await provider.arrive(CODE, None, departure)
    assert (claims.text("email"), claims.holds("email_verified")) == ("ada@example.org", True)

    issuer.userinfo = {"sub": "0002", "email": "eve@example.org"}
    with pytest.raises(Unauthenticated, match="somebody else"):
        await provider.arrive(CODE, None, departure)


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": None},
    ],
)
async def test_a_provider_that_cannot_be_trusted(
    issuer: Issuer, provider: IdentityProvider, metadata: dict[str, Any]
) -> None:
    issuer.metadata = metadata
    with pytest.raises(Unavailable):
        await provider.depart()


async def test_a_provider_that_is_away() -> None:
    async with Fetcher(user_agent="test") as fetcher:
        gone = provider_of(Issuer(port=1), fetcher)
        with pytest.raises(Unavailable, match="cannot be reached"):
            await gone.depart()


def test_secrets_go_by_tls_or_within_the_machine() -> None:
    assert all(map(is_safe_address, ("https://id.example.org/token", "http://localhost:1/", "http://[::1]/")))
    bad = ("http://id.example.org/", "http://127.0.0.1.example.org/", "ftp://a/", None, "")
    assert not any(map(is_safe_address, bad))

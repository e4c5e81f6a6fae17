"""OpenID Connect from the side of the one who relies on it: the code flow with PKCE, and what an ID token proves.

    provider = IdentityProvider(fetcher, issuer=…, client_id=…, client_secret=…, redirect_uri=…)
    departure = await provider.depart()                      send the browser to departure.url, keep the rest for it
    claims = await provider.arrive(code, issuer, departure)  what the provider says about who came back

Sources: OpenID Connect Core 1.0 §3.1 and Discovery 1.0; RFC 7636 (PKCE), RFC 9207 (`iss` in the answer), RFC 9700
(current practice). Authlib shapes the requests and knows the claims; every request goes through `kit.fetch`.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson
from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization
from joserfc.jws import extract_compact

from kit.errors import Unauthenticated, Unavailable
from kit.fetch import Fetcher, FetchError, Response
from kit.urls import RefusedUrl, locate

ALGORITHMS: Final = (
    "RS256",
    "PS256",
    "ES256",
    "Ed25519",
    "EdDSA",
    "RS384",
    "RS512",
    "PS384",
    "PS512",
    "ES384",
    "ES512",
)
"""Signatures by a key pair only. `none` is no signature; an HMAC could be made with a key that is public."""
LEEWAY_SECONDS: Final = 60
_FRESH_SECONDS: Final = 3600.0
_PATIENCE_SECONDS: Final = 60.0  # so long a key that was not found is not looked for again
_DEADLINE_SECONDS: Final = 10.0
_LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_BASIC: Final = "client_secret_basic"
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Departure:
    """A sign-in that has left for the provider. All but `url` is kept for the one browser that was sent there."""

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What a provider says about somebody. `issuer` and `subject` together are who it is; the rest may change."""

    issuer: str
    subject: str
    all: Mapping[str, Any]

    def text(self, name: str) -> str:
        """Return a claim that is text; empty when it is missing or something else."""
        value = self.all.get(name)
        return value.strip() if isinstance(value, str) else ""

    def texts(self, name: str) -> frozenset[str]:
        """Return a claim that is a list of texts, or one text."""
        value = self.all.get(name)
        values = value if isinstance(value, list) else [value]
        return frozenset(item for item in values if isinstance(item, str))

    def holds(self, name: str) -> bool:
        """Tell whether a claim is true; some providers write the word."""
        return self.all.get(name) in (True, "true")


@dataclass(frozen=True, slots=True)
class _Metadata:
    """What a provider publishes about itself, as far as it is used."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    takes_basic: bool
    names_itself: bool


class IdentityProvider:
    """One provider, found by its issuer. What it publishes is read when it is needed and kept for an hour."""

    def __init__(
        self,
        fetcher: Fetcher,
        *,
        issuer: str,
        client_id: str,
        client_secret: str | None,
        redirect_uri: str,
        scopes: str = "openid profile email",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._fetcher = fetcher
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._scopes = scopes
        self._clock = clock
        self._metadata: tuple[_Metadata, float] | None = None
        self._keys: tuple[KeySet, float] | None = None
        self._reading = asyncio.Lock()

    async def depart(self) -> Departure:
        """Return where to send a browser, and what to keep for it. Raises `Unavailable` when the provider is away."""
        metadata = await self._read_metadata()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        url = prepare_grant_uri(
            metadata.authorization_endpoint,
            self._client_id,
            "code",
            redirect_uri=self._redirect_uri,
            scope=self._scopes,
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),  # type: ignore[no-untyped-call]  # its stubs lack it
            code_challenge_method="S256",
        )
        return Departure(url, state, nonce, verifier)

    async def arrive(self, code: str, issuer: str | None, departure: Departure) -> Claims:
        """Return what the provider says about whoever came back with `code`.

        `issuer` is the `iss` of the answer, None when it had none. The caller has compared the state. Raises
        `Unauthenticated` when anything does not fit, `Unavailable` when the provider is away.
        """
        metadata = await self._read_metadata()
        if issuer != metadata.issuer if issuer is not None else metadata.names_itself:
            raise _refusal("the answer is not from it")
        tokens = await self._exchange(metadata, code, departure)
        claims = dict(await self._verified(metadata, tokens, departure))
        access_token = tokens.get("access_token")
        if not claims.get("email") and metadata.userinfo_endpoint is not None and isinstance(access_token, str):
            claims = {**await self._userinfo(metadata.userinfo_endpoint, access_token, claims["sub"]), **claims}
        return Claims(metadata.issuer, claims["sub"], claims)

    async def _exchange(self, metadata: _Metadata, code: str, departure: Departure) -> dict[str, Any]:
        """Redeem the code, which works once, for the tokens."""
        body = prepare_token_request(
            "authorization_code", redirect_uri=self._redirect_uri, code=code, code_verifier=departure.verifier
        )
        url = metadata.token_endpoint
        method = _BASIC if metadata.takes_basic else "client_secret_post"
        auth = ClientAuth(self._client_id, self._client_secret, method if self._client_secret else "none")
        headers = {"content-type": _FORM, "accept": "application/json"}
        url, headers, body = auth.prepare("POST", url, headers, body)  # type: ignore[no-untyped-call]  # its stubs lack it
        answer = await self._ask(url, method="POST", headers=headers, body=body.encode())
        told = _object(answer)
        if answer.status != 200 or not isinstance(told.get("id_token"), str):  # noqa: PLR2004  RFC 6749 §5.1
            raise _refusal("it does not accept the code")
        return told

    async def _verified(
        self, metadata: _Metadata, tokens: Mapping[str, Any], departure: Departure
    ) -> Mapping[str, Any]:
        """Return the claims of the ID token once its signature and they are right (OpenID Connect Core §3.1.3.7)."""
        try:
            token = jwt.decode(tokens["id_token"], await self._keys_for(metadata, tokens["id_token"]), list(ALGORITHMS))
            claims = CodeIDToken(
                token.claims,
                token.header,
                options={
                    "iss": {"essential": True, "value": metadata.issuer},
                    "aud": {"essential": True, "value": self._client_id},
                    "nonce": {"essential": True, "value": departure.nonce},
                    "sub": {"essential": True},
                },
                params={
                    "client_id": self._client_id,
                    "nonce": departure.nonce,
                    "access_token": tokens.get("access_token"),
                },
            )
            claims.validate(now=int(self._clock()), leeway=LEEWAY_SECONDS)
        except (JoseError, AuthlibBaseError, ValueError, TypeError, KeyError) as error:
            raise _refusal("its token is not valid") from error
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 1 <= len(subject) <= 255:  # noqa: PLR2004  OpenID Connect Core §2
            raise _refusal("its token names nobody")
        return claims

    async def _userinfo(self, url: str, access_token: str, subject: str) -> dict[str, Any]:
        answer = await self._ask(url, headers={"authorization": f"Bearer {access_token}"})
        told = _object(answer) if answer.status == 200 else {}  # noqa: PLR2004  as the status is known
        if told and told.get("sub") != subject:  # OpenID Connect Core §5.3.2: another person's
            raise _refusal("it tells of somebody else")
        return told

    async def _keys_for(self, metadata: _Metadata, token: str) -> KeySet:
        """Return the provider's keys, read anew when they are old or lack the one that signed `token`."""
        async with self._reading:
            kid = _header(token).get("kid")
            if self._keys is not None:
                keys, read_at = self._keys
                age = time.monotonic() - read_at
                is_known = kid is None or any(key.kid == kid for key in keys.keys)
                if age < (_FRESH_SECONDS if is_known else _PATIENCE_SECONDS):
                    return keys
            answer = await self._ask(metadata.jwks_uri)
            try:
                keys = KeySet.import_key_set(cast("KeySetSerialization", _object(answer)))
            except (JoseError, ValueError, KeyError, TypeError) as error:
                raise Unavailable("The identity provider publishes no keys that can be read.") from error
            self._keys = keys, time.monotonic()
            return keys

    async def _read_metadata(self) -> _Metadata:
        """Return what the provider publishes about itself. Raises `Unavailable` when that cannot be trusted."""
        async with self._reading:
            if self._metadata is not None and time.monotonic() - self._metadata[1] < _FRESH_SECONDS:
                return self._metadata[0]
            told = _object(await self._ask(get_well_known_url(self._issuer, external=True)))
            if told.get("issuer") != self._issuer:  # Discovery §4.3: else anybody could speak for it
                raise Unavailable("The identity provider does not call itself by the configured issuer.")
            self._metadata = _metadata_of(told), time.monotonic()
            return self._metadata[0]

    async def _ask(
        self, url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Response:
        """Ask the provider. The operator named it, and it names its endpoints: they may lie in a private network."""
        try:
            return await self._fetcher.fetch(
                url,
                method=method,
                headers=headers,
                body=body,
                max_redirects=0,
                deadline_seconds=_DEADLINE_SECONDS,
                trusted=locate(url).origin,
            )
        except (FetchError, RefusedUrl) as error:
            raise Unavailable("The identity provider cannot be reached; try again.") from error


def is_safe_address(url: object) -> bool:
    """Tell whether secrets may be sent to an address: by TLS, or within this machine."""
    if not isinstance(url, str):
        return False
    try:
        address = locate(url)
    except RefusedUrl:
        return False
    return address.scheme == "https" or address.host in _LOCAL_HOSTS


def _metadata_of(told: Mapping[str, Any]) -> _Metadata:
    """Return what is used of a discovery document. Raises `Unavailable` when secrets are not safe with it."""
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not is_safe_address(told.get(name)):
            raise Unavailable(f"The identity provider has no {name} that is safe to use.")
    userinfo = told.get("userinfo_endpoint")
    return _Metadata(
        issuer=told["issuer"],
        authorization_endpoint=told["authorization_endpoint"],
        token_endpoint=told["token_endpoint"],
        jwks_uri=told["jwks_uri"],
        userinfo_endpoint=userinfo if is_safe_address(userinfo) else None,
        takes_basic=_BASIC in (told.get("token_endpoint_auth_methods_supported") or [_BASIC]),
        names_itself=told.get("authorization_response_iss_parameter_supported") is True,
    )


def _object(answer: Response) -> dict[str, Any]:
    """Return the JSON object of an answer; an empty one for anything else."""
    try:
        told = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def _header(token: str) -> dict[str, Any]:
    """Return what a token says of itself before it is believed."""
    try:
        return dict(extract_compact(token.encode()).headers())
    except (JoseError, ValueError):
        return {}


def _refusal(why: str) -> Unauthenticated:
    return Unauthenticated(f"The sign-in at the identity provider did not succeed: {why}. Try again.")

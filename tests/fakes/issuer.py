"""An identity provider on loopback that says exactly what a test makes it say, right or wrong."""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import Any, Self

import orjson
from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeySet, OctKey, RSAKey

CLIENT_ID, SECRET = "graphmark", "a secret of the client"
CODE = "the-code"


@dataclass
class Issuer:
    """`async with Issuer() as issuer:` runs one. `token` is what it gives for a code, `published` its keys."""

    port: int = 0
    keys: list[Key] = field(default_factory=lambda: [ECKey.generate_key("P-256", {"kid": "first"})])
    metadata: dict[str, Any] = field(default_factory=dict)
    token: str = ""
    userinfo: dict[str, Any] | None = None
    asked: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @property
    def name(self) -> str:
        """What it calls itself."""
        return f"http://127.0.0.1:{self.port}"

    def claims(self, nonce: str | None, **changes: Any) -> dict[str, Any]:
        """Return the claims of a good ID token, with changes; None leaves one out."""
        now = int(time.time())
        good = {
            "iss": self.name,
            "aud": CLIENT_ID,
            "sub": "0001",
            "nonce": nonce,
            "iat": now,
            "exp": now + 300,
            "email": "ada@example.org",
            "email_verified": True,
            "name": "Ada",
            "groups": ["readers"],
        }
        return {name: value for name, value in {**good, **changes}.items() if value is not None}

    def sign(self, claims: dict[str, Any], *, key: Key | None = None, **header: Any) -> str:
        """Return a signed token; by the first key unless told otherwise."""
        key = key or self.keys[0]
        algorithm = {"EC": "ES256", "RSA": "RS256", "oct": "HS256"}[key.key_type]
        return jwt.encode({"alg": algorithm, "kid": key.kid, **header}, claims, key, algorithms=[algorithm])

    def _told(self) -> dict[str, Any]:
        """Return what it answers, by path."""
        published = KeySet([key for key in self.keys if not isinstance(key, OctKey)])
        return {
            "/.well-known/openid-configuration": {
                "issuer": self.name,
                "authorization_endpoint": f"{self.name}/authorize",
                "token_endpoint": f"{self.name}/token",
                "jwks_uri": f"{self.name}/keys",
                "userinfo_endpoint": f"{self.name}/me",
                **self.metadata,
            },
            "/keys": published.as_dict(private=False),
            "/token": {"id_token": self.token, "access_token": "opaque", "token_type": "Bearer"}
            if self.token
            else None,
            "/me": self.userinfo,
        }

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                (int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:")), 0
            )
            self.bodies.append((await reader.readexactly(length)).decode())
            path = head.split(" ")[1].partition("?")[0]
            self.asked.append(path)
            told = self._told().get(path)
            body = orjson.dumps(told if told is not None else {"error": "invalid_grant"})
            status = "200 OK" if told is not None else "400 Bad Request"
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
            )
            await writer.drain()
        writer.close()


def rsa() -> RSAKey:
    """Return a key of another kind."""
    return RSAKey.generate_key(2048, {"kid": "rsa"})

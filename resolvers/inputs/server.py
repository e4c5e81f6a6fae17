"""Names that describe the server."""

from enum import StrEnum

from kit.settings import Registration
from resolvers.inputs.enums import described

__all__ = ["Registration", "SignInKind"]


class SignInKind(StrEnum):
    """How somebody signs in."""

    PASSWORD = "PASSWORD"  # noqa: S105  a name
    OIDC = "OIDC"
    PROXY = "PROXY"


described(
    Registration,
    "Who may open an account here.",
    name="RegistrationMode",
    OPEN="Everybody.",
    INVITE="Whoever has an invitation.",
    CLOSED="Nobody; an administrator opens accounts.",
)
described(
    SignInKind,
    "How somebody signs in.",
    PASSWORD="With an address and a password, by the mutation `login`.",  # noqa: S106  a description
    OIDC="At an identity provider (OpenID Connect).",
    PROXY="The proxy in front has asked already.",
)

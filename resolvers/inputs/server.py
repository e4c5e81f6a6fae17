"""Names that describe the server."""

from kit.settings import Registration
from resolvers.inputs.enums import described

__all__ = ["Registration"]

described(
    Registration,
    "Who may open an account here.",
    name="RegistrationMode",
    OPEN="Everybody.",
    INVITE="Whoever has an invitation.",
    CLOSED="Nobody; an administrator opens accounts.",
)

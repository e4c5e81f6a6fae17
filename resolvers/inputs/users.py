"""Roles, as inputs and outputs name them."""

from resolvers.inputs.enums import described
from services.permissions import Role

__all__ = ["Role"]

described(
    Role,
    "What an account may do beyond its own data.",
    USER="Keeps bookmarks.",
    ADMIN="Also sees accounts, jobs and health, and changes settings.",
)

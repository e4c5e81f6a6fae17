"""Roles and scopes, as inputs and outputs name them."""

from resolvers.inputs.enums import described
from services.permissions import ApiScope, Role

__all__ = ["ApiScope", "Role"]

described(
    Role,
    "What an account may do beyond its own data.",
    USER="Keeps bookmarks.",
    ADMIN="Also sees accounts, jobs and health, and changes settings.",
)
described(
    ApiScope,
    "What an API key may be used for. With any scope it is shown all that the answer of a field reaches; no scope makes"
    " it an administrator, or lets it see or change credentials.",
    READ="Queries and subscriptions.",
    WRITE="Changing bookmarks, collections, tags and rules, and running agents.",
    IMPORT="Uploading files and running imports.",
)

"""Accounts, sessions, passwords, second factors and API keys in the schema."""

import strawberry

from schema.auth.factors import FactorMutation
from schema.auth.keys import ApiKey, ApiKeyMutation
from schema.auth.passwords import PasswordMutation
from schema.auth.sessions import SessionMutation, UserSession
from schema.auth.signing_in import SignInMutation

__all__ = ["ApiKey", "AuthMutation", "FactorMutation", "PasswordMutation", "UserSession"]


@strawberry.type
class AuthMutation(SignInMutation, SessionMutation, ApiKeyMutation):
    """Accounts, sessions and API keys."""

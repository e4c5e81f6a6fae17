"""Accounts and sessions in the schema."""

from schema.auth.factors import FactorMutation
from schema.auth.passwords import PasswordMutation
from schema.auth.signing_in import AuthMutation

__all__ = ["AuthMutation", "FactorMutation", "PasswordMutation"]

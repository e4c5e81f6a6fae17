"""Names for text with a meaning; schema.scalars says how each looks in the API."""

from typing import NewType

Url = NewType("Url", str)
EmailAddress = NewType("EmailAddress", str)
BigInt = NewType("BigInt", int)

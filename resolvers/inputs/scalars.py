"""Names for values with a meaning; schema.scalars says how each looks in the API."""

from typing import NewType

from kit.uploads import UploadedFile

Url = NewType("Url", str)
EmailAddress = NewType("EmailAddress", str)
BigInt = NewType("BigInt", int)
Upload = NewType("Upload", UploadedFile)
Json = NewType("Json", object)

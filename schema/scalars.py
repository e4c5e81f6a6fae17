"""Scalars beyond GraphQL's own. Text that a person typed is accepted as it is and judged by the services."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from kit.uploads import UploadedFile
from resolvers.inputs.scalars import BigInt, EmailAddress, Json, Upload, Url


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise GraphQLError("A string is expected.")
    return value


def _print_time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _parse_time(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(value))
        if moment.tzinfo is None:
            raise GraphQLError("A time needs its offset, for example 2026-01-31T23:59:59Z (RFC 3339).")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):  # in UTC it may lie outside the years 1 to 9999
        raise GraphQLError("A time is written like 2026-01-31T23:59:59Z (RFC 3339).") from None


def _parse_uuid(value: object) -> UUID:
    try:
        return UUID(_text(value))
    except ValueError:
        raise GraphQLError("A UUID is written like 01890a5d-ac96-774b-bcce-b302099a8057.") from None


def _parse_big(value: object) -> int:
    try:
        number = int(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
    except ValueError:
        number = None
    if number is None or not -(2**63) <= number < 2**63:
        raise GraphQLError("A whole number of at most 64 bits is expected.")
    return number


_DURATION = re.compile(r"PT(\d{1,9}(?:\.\d{1,6})?)S")


def _print_duration(value: timedelta) -> str:
    return f"PT{value.total_seconds():.6f}".rstrip("0").rstrip(".") + "S"


def _parse_duration(value: object) -> timedelta:
    found = _DURATION.fullmatch(_text(value))
    if found is None:
        raise GraphQLError("A length of time is written like PT1.5S (ISO 8601, in seconds).")
    return timedelta(seconds=float(found[1]))


def _same(value: Any) -> Any:
    return value


def _parse_upload(value: object) -> UploadedFile:
    if not isinstance(value, UploadedFile):
        raise GraphQLError("A file is sent by the GraphQL multipart request specification, as null in `variables`.")
    return value


def scalar(name: str, description: str, serialize: Any, parse: Any, url: str | None = None) -> ScalarDefinition:
    """Describe one scalar."""
    definition: ScalarDefinition = strawberry.scalar(
        name=name, description=description, serialize=serialize, parse_value=parse, specified_by_url=url
    )
    return definition


SCALARS: dict[object, ScalarDefinition] = {
    datetime: scalar(
        "DateTime",
        "A moment in UTC, as RFC 3339: `2026-01-31T23:59:59Z`. Input needs an offset.",
        _print_time,
        _parse_time,
        "https://www.rfc-editor.org/rfc/rfc3339",
    ),
    Url: scalar(
        "URL",
        "An address with scheme `http` or `https`, at most 8,192 bytes.",
        str,
        _text,
        "https://url.spec.whatwg.org/",
    ),
    EmailAddress: scalar(
        "EmailAddress",
        "An e-mail address of at most 254 characters.",
        str,
        _text,
        "https://www.rfc-editor.org/rfc/rfc5321",
    ),
    UUID: scalar("UUID", "A UUID in its usual form.", str, _parse_uuid, "https://www.rfc-editor.org/rfc/rfc9562"),
    Upload: scalar(
        "Upload",
        "A file, sent by the GraphQL multipart request specification.",
        str,
        _parse_upload,
        "https://github.com/jaydenseric/graphql-multipart-request-spec",
    ),
    BigInt: scalar("BigInt", "A whole number of up to 64 bits.", int, _parse_big),
    Json: scalar("JSON", "Any JSON value.", _same, _same, "https://www.rfc-editor.org/rfc/rfc8259"),
    timedelta: scalar(
        "Duration",
        "A length of time in seconds, as ISO 8601: `PT1.5S`.",
        _print_duration,
        _parse_duration,
        "https://www.iso.org/iso-8601-date-and-time-format.html",
    ),
}

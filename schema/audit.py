"""The audit log: who did what to which account, and who tried to."""

from datetime import datetime

import strawberry

from resolvers import audit as answer
from resolvers.inputs.audit import AuditAction
from resolvers.inputs.scalars import BigInt, Json
from resolvers.inputs.users import ApiScope, Role
from schema.directives import requires
from schema.paging import Connection
from schema.users import User


@strawberry.type(description="One act on an account. Entries are never changed.")
class AuditEntry:
    """Answered by db.audit.AuditRow."""

    seq: BigInt = strawberry.field(description="Its place in the log, from 1 on, without gaps.")
    at: datetime = strawberry.field(description="When it was done.")
    action: AuditAction = strawberry.field(description="What was done, or tried.")
    succeeded: bool = strawberry.field(description="Whether it was done; false: it was refused.")
    actor = strawberry.field(
        resolver=answer.actor,
        graphql_type=User | None,
        description="The account that did it; null for the operator, for nobody known, and when the account is gone.",
    )
    actor_name: str = strawberry.field(
        name="actorName",
        description="How the actor was called then, such as an address or `operator`; empty for nobody known.",
    )
    subject = strawberry.field(
        resolver=answer.subject,
        graphql_type=User | None,
        description="The account that it was done to; null without one and when the account is gone.",
    )
    network_address: str = strawberry.field(
        description="The address that it came from; a network where `details` tell of repetitions; empty when unknown."
    )
    user_agent: str = strawberry.field(description="What the client said of itself, on one line of at most 300.")
    details: Json = strawberry.field(
        resolver=answer.details,
        description="What else is known, such as `factor` and `reason`; `repeated`: how often it was refused again"
        " within the `minute`. Never a secret.",
    )
    digest: str = strawberry.field(
        resolver=answer.digest,
        description="64 hexadecimal digits that seal this entry and all before it; keep those of the latest elsewhere.",
    )


@strawberry.type
class AuditQuery:
    """Asking what was done."""

    audit_log = strawberry.field(
        resolver=answer.audit_log,
        graphql_type=Connection[AuditEntry],
        description="Every act on an account, done or refused, newest first.",
        **requires(ApiScope.READ, role=Role.ADMIN),
    )

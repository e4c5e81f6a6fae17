"""Accounts."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers import admin as admin_answer
from resolvers import auth as auth_answer
from resolvers import categorization as categorization_answer
from resolvers import spending as spending_answer
from resolvers import users as answer
from resolvers.compiled import answers
from resolvers.inputs.scalars import BigInt, EmailAddress
from resolvers.inputs.users import ApiScope, Role
from schema.categorization import AgentSettings
from schema.directives import Cost, requires
from schema.node import Node, global_id, node_type
from schema.paging import Connection
from schema.spending import Spending

if TYPE_CHECKING:
    from schema.auth import ApiKey, UserSession

COUNT_COST = 20  # walks what the account has
LIST_COST = 20  # one statement for each account
LazySession = Annotated["UserSession", strawberry.lazy("schema.auth")]
LazyApiKey = Annotated["ApiKey", strawberry.lazy("schema.auth")]


@strawberry.type(description="What of something an account has, and how much it may have.")
class Quota:
    """Answered by services.quotas.Quota."""

    used: BigInt = strawberry.field(description="What there is.")
    limit: BigInt = strawberry.field(description="What there may be; more is refused, what is there stays.")


@strawberry.type(description="What an account has and may have.")
class Quotas:
    """Answered by services.quotas.Quotas."""

    bookmarks: Quota = strawberry.field(description="Bookmarks, the trash included.")
    storage_bytes: Quota = strawberry.field(description="Bytes of files that wait and of pictures together.")
    running_imports: Quota = strawberry.field(description="Imports at once.")


@strawberry.type(description="An account.")
@node_type
class User(Node):
    """Answered by db.users.UserRow."""

    id = global_id("User")
    email: EmailAddress = strawberry.field(description="The address to sign in with.")
    is_email_verified: bool = strawberry.field(
        description="Whether the link that was mailed to the address has been followed."
    )
    name: str = strawberry.field(description="How the account is shown: 1 to 100 characters.")
    role: Role = strawberry.field(description="What the account may do beyond its own data.")
    last_login_at: datetime | None = strawberry.field(description="When it last signed in with its password.")
    created_at: datetime = strawberry.field(description="When it was opened.")
    is_disabled: bool = strawberry.field(description="Whether it is closed: nobody can sign in, its keys open nothing.")
    bookmark_count = strawberry.field(
        resolver=admin_answer.bookmark_count,
        graphql_type=int,
        description="How many bookmarks it has outside the trash. Counted when asked.",
        directives=[Cost(weight=COUNT_COST)],
    )
    quotas = strawberry.field(
        resolver=admin_answer.quotas_of,
        graphql_type=Quotas,
        description="What it has and may have. Counted when asked.",
        directives=[Cost(weight=COUNT_COST)],
    )
    spending = strawberry.field(
        resolver=spending_answer.of_user,
        graphql_type=Spending,
        description="What its models cost this month. Only for the account itself and administrators.",
    )
    is_totp_enabled = strawberry.field(
        resolver=auth_answer.is_totp_enabled,
        graphql_type=bool | None,
        description="Whether it has a second factor. Only for the account itself and administrators, else null.",
    )
    is_totp_required = strawberry.field(
        resolver=auth_answer.is_totp_required,
        graphql_type=bool | None,
        description="Whether this server demands a second factor. Only for the account itself and administrators.",
    )
    recovery_codes_left = strawberry.field(
        resolver=auth_answer.recovery_codes_left,
        graphql_type=int | None,
        description="Recovery codes that were not used: 0 to 10. Only for the account itself and administrators.",
    )
    agent_settings = strawberry.field(
        resolver=categorization_answer.agent_settings,
        metadata=answers(categorization_answer.SETTINGS_OF_USER),
        graphql_type=AgentSettings | None,
        description="What the agents may do with your bookmarks by themselves; null for other accounts.",
    )
    sessions = strawberry.field(
        resolver=auth_answer.of_user,
        graphql_type=Connection[LazySession],
        directives=[Cost(weight=LIST_COST)],
        description="Where it is signed in, newest first: at most 100. Only for the account itself and administrators,"
        " and for no API key.",
    )
    api_keys = strawberry.field(
        resolver=auth_answer.keys_of_user,
        graphql_type=Connection[LazyApiKey],
        directives=[Cost(weight=LIST_COST)],
        description="Its API keys, newest first: at most 50. Only for the account itself and administrators, and for no"
        " API key.",
    )


@strawberry.type
class UserQuery:
    """Asking for accounts."""

    viewer = strawberry.field(
        resolver=answer.viewer,
        metadata=answers(),
        graphql_type=User | None,
        description="Who is signed in; null when nobody is.",
        **requires(ApiScope.READ, while_enrolling=True),
    )
    users = strawberry.field(
        resolver=answer.list_users,
        metadata=answers(),
        graphql_type=Connection[User],
        description="All accounts of this server, newest first.",
        **requires(ApiScope.READ, role=Role.ADMIN),
    )

"""Accounts."""

from datetime import datetime

import strawberry

from resolvers import auth as auth_answer
from resolvers import categorization as categorization_answer
from resolvers import spending as spending_answer
from resolvers import users as answer
from resolvers.compiled import answers
from resolvers.inputs.scalars import EmailAddress
from resolvers.inputs.users import ApiScope, Role
from schema.categorization import AgentSettings
from schema.directives import requires
from schema.node import Node, global_id, node_type
from schema.paging import Connection
from schema.spending import Spending


@strawberry.type(description="An account.")
@node_type
class User(Node):
    """Answered by db.users.UserRow."""

    id = global_id("User")
    email: EmailAddress = strawberry.field(description="The address to sign in with.")
    name: str = strawberry.field(description="How the account is shown: 1 to 100 characters.")
    role: Role = strawberry.field(description="What the account may do beyond its own data.")
    last_login_at: datetime | None = strawberry.field(description="When it last signed in with its password.")
    created_at: datetime = strawberry.field(description="When it was opened.")
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

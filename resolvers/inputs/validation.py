"""What is said of links, and what they are changed with."""

import strawberry

from db.validation.duplicates import DuplicateReason
from resolvers.inputs.enums import described
from services.validation.states import ContentState, LinkDetail, LinkStatus, Verdict

__all__ = ["AcceptRedirectsInput", "ContentState", "DuplicateReason", "LinkDetail", "LinkStatus", "Verdict"]

described(
    LinkStatus,
    "What the last check of a link saw.",
    UNCHECKED="It was not checked yet.",
    OK="The page is there.",
    REDIRECTED_TEMPORARY="The page is there, at another address for the moment.",
    REDIRECTED_PERMANENT="The page is there, at another address for ever.",
    AUTH_REQUIRED="The page is only for those who log in (401, 402, 407, or a login form).",
    FORBIDDEN_OR_BOT_BLOCKED="The server does not show it to us (403, 999, a captcha); it may show it to you.",
    RATE_LIMITED="The server asked for patience (429).",
    NOT_FOUND="The server has no such page (404).",
    GONE="The server says that the page is gone for ever (410).",
    SOFT_404="The server answers, and the page says or shows that it is not there.",
    CLIENT_ERROR="The server refuses the request (another 4xx).",
    SERVER_ERROR="The server failed (5xx), or its answer is broken.",
    TIMEOUT="No answer in time.",
    DNS_FAILURE="The name of the host could not be found.",
    CONNECTION_REFUSED="Nobody listens at the host.",
    TLS_ERROR="No secure connection: the certificate or the protocol is wrong.",
    PARKED="The name of the host shows advertisements, or is for sale.",
    TOO_MANY_REDIRECTS="It redirects in a circle, or more than 10 times.",
    TOO_LARGE="The page is there and grows beyond all measure when it is unpacked.",
    BLOCKED_PRIVATE="It leads into a private network or to a port that this server does not dial.",
    UNSUPPORTED_SCHEME="It leads to something that is neither http nor https.",
    INVALID_URL="It is no address that can be opened.",
)
described(
    LinkDetail,
    "Why a check saw what it saw, where the status does not tell.",
    NXDOMAIN="The name does not exist.",
    RESOLVER_FAILED="The name could not be looked up, which may pass.",
    RESET="The connection was broken off.",
    UNREACHABLE="There was no way to the host.",
    BAD_RESPONSE="The answer was no proper HTTP.",
    EXPIRED="The certificate has expired.",
    HOSTNAME="The certificate is for another name.",
    SELF_SIGNED="Nobody vouches for the certificate.",
    PROTOCOL="No common way of encryption, or none at all.",
    PORT="The port is not dialled.",
    CAPTCHA="A firewall wants proof of a person.",
    LOGIN_WALL="A login form stands in front of the page.",
    SAYS_NOT_FOUND="The page says that it is not there.",
    REDIRECTED_TO_ROOT="A link into the site leads to its front page.",
    ERROR_PAGE="It leads to an error page, as its address tells.",
    SAME_AS_RANDOM="The server shows the same page at addresses that cannot exist.",
    EMPTY="The page is empty.",
)
described(
    Verdict,
    "What is believed of a link after all its checks.",
    UNKNOWN="It was not checked yet.",
    ALIVE="The last check found the page.",
    SUSPECT="It seems broken; too few checks, or too close to each other, to be sure.",
    DEAD="Three failures, each at least three days after the one before; or gone for ever, or a name that does not"
    " exist, seen by two checks.",
    INCONCLUSIVE="The checks could not see: refused, overloaded, out of order. Such a link is never called dead.",
)
described(
    ContentState,
    "How a page compares with what it said when it was first read.",
    UNKNOWN="There is nothing to compare.",
    UNCHANGED="It says the same.",
    CHANGED="It says something else, and much of the same.",
    REPLACED="Nothing is left of what it said.",
    PARKED="The name of the host is for sale, or shows advertisements.",
    EMPTIED="It says hardly anything any more.",
)
described(
    DuplicateReason,
    "What bookmarks have in common.",
    FINAL_URL="They end at the same address, after all redirects.",
    CANONICAL="Their pages name the same address as the proper one.",
    CONTENT="Their pages say the same, in 30 words or more.",
    TITLE="They have the same title of 10 characters or more, upper and lower case alike.",
)


@strawberry.input(description="Bookmarks that are to get the address that is offered for them.")
class AcceptRedirectsInput:
    """For `acceptRedirects`."""

    ids: list[strawberry.ID] = strawberry.field(description="1 to 1,000 bookmarks.")

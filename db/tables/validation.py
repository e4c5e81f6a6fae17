"""What is known of links: their health and its history; and what all owners share: answers, the patience of hosts."""

from piccolo.columns import JSONB, UUID, BigInt, Bytea, Integer, Text, Timestamptz
from piccolo.table import Table


class LinkHealth(Table, tablename="link_health"):
    """How the link of a bookmark fares. There is no row before the first check.

    `url_digest` is of the address that was checked. `move_*` is where permanent redirects lead, `permanent_url` the
    same once it is offered. `saved_*` is what the page said when it was first read, `content_*` what it says now.
    """

    bookmark_id = UUID(primary_key=True)
    owner_id = UUID()
    url_digest = Bytea()
    status = Text()
    detail = Text(null=True)
    verdict = Text()
    http_status = Integer(null=True)
    final_url = Text(null=True)
    final_key = Bytea(null=True)
    canonical_url = Text(null=True)
    canonical_key = Bytea(null=True)
    move_url = Text(null=True)
    move_sights = Integer()
    permanent_url = Text(null=True)
    failures = Integer()
    strikes = Integer()
    struck_at = Timestamptz(null=True)
    final_sights = Integer()
    streak = Integer()
    judged_at = Timestamptz(null=True)
    checked_at = Timestamptz()
    next_check_at = Timestamptz()
    etag = Text(null=True)
    last_modified = Text(null=True)
    body_digest = Bytea(null=True)
    saved_digest = Bytea(null=True)
    saved_simhash = BigInt(null=True)
    saved_words = Integer(null=True)
    content_digest = Bytea(null=True)
    content_simhash = BigInt(null=True)
    content_words = Integer(null=True)
    content_state = Text()
    content_checked_at = Timestamptz(null=True)
    archive_url = Text(null=True)
    archive_checked_at = Timestamptz(null=True)


class LinkCheck(Table, tablename="link_checks"):
    """One check of a bookmark's link: the history."""

    id = UUID(primary_key=True)
    bookmark_id = UUID()
    owner_id = UUID()
    checked_at = Timestamptz()
    status = Text()
    detail = Text(null=True)
    verdict = Text()
    http_status = Integer(null=True)
    final_url = Text(null=True)
    content_state = Text()
    duration_ms = Integer()


class Host(Table, tablename="hosts"):
    """A host that links lead to: when it may be asked again, and what it answers for addresses that cannot exist."""

    host = Text(primary_key=True)
    next_at = Timestamptz()
    not_before = Timestamptz()
    in_flight = JSONB()
    probed_at = Timestamptz(null=True)
    probe_title = Text(null=True)
    probe_digest = Bytea(null=True)
    probe_simhash = BigInt(null=True)
    probe_words = Integer(null=True)
    used_at = Timestamptz()


class FetchResult(Table, tablename="fetch_results"):
    """What one address answered, for everybody who keeps it; held by who is asking it at the moment."""

    url_digest = Bytea(primary_key=True)
    claim = UUID(null=True)
    claimed_until = Timestamptz()
    fetched_at = Timestamptz(null=True)
    observation = JSONB(null=True)

"""What single accounts may have."""

from piccolo.columns import UUID, BigInt, Integer
from piccolo.table import Table


class UserQuota(Table, tablename="user_quotas"):
    """Bounds of one account; null is what the settings say."""

    user_id = UUID(primary_key=True)
    max_bookmarks = Integer(null=True)
    max_storage_bytes = BigInt(null=True)
    max_running_imports = Integer(null=True)

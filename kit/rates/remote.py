"""What is used of budgets, as all processes know it, in Redis: one script, run as a whole or not at all."""

from collections.abc import Sequence

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from kit.errors import Unavailable
from kit.rates.budgets import Charge

_PREFIX = "graphmark:limit:"
_SECONDS = 0.5
_MAX_CONNECTIONS = 8
_NO_LIMIT = -1.0

# Redis has the only clock. A key lives as long as something of its budget is used. Less than 0 is a wait.
_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local most = tonumber(ARGV[1])
local answers = {}
for i, key in ipairs(KEYS) do
    local seconds = tonumber(ARGV[i + 1])
    local used = math.max((tonumber(redis.call('GET', key)) or 0) - now, 0) + seconds
    if most >= 0 and used > most then
        answers[i] = string.format('%.6f', most - used)
    else
        redis.call('SET', key, string.format('%.6f', now + used), 'PX', math.ceil(used * 1000))
        answers[i] = string.format('%.6f', used)
    end
end
return answers
"""


class RemoteBuckets:
    """The budgets of all processes that use the Redis at `url`."""

    def __init__(self, url: str) -> None:
        self._pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_MAX_CONNECTIONS,
            timeout=_SECONDS,
            socket_timeout=_SECONDS,
            socket_connect_timeout=_SECONDS,
        )
        self._redis = Redis(connection_pool=self._pool)
        self._script = self._redis.register_script(_SCRIPT)

    async def spend(self, charges: Sequence[Charge]) -> list[float]:
        """Take from each budget, however much of it is used; return how many seconds of each are used now.

        Raises `Unavailable` when Redis does not answer within half a second.
        """
        return await self._run(charges, _NO_LIMIT)

    async def take(self, charge: Charge, *, most: float) -> float:
        """Take from a budget unless more than `most` seconds would then be used; return 0, or the seconds to wait.

        Raises as `spend` does.
        """
        (used,) = await self._run([charge], most)
        return -min(used, 0.0)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._redis.aclose()
        await self._pool.aclose()

    async def _run(self, charges: Sequence[Charge], most: float) -> list[float]:
        keys = [_PREFIX + charge.key for charge in charges]
        try:
            answers = await self._script(keys=keys, args=[most, *(charge.seconds for charge in charges)])
        except (RedisError, OSError, TimeoutError) as error:
            raise Unavailable(f"Redis does not answer: {error!r}") from error
        return [float(answer) for answer in answers]

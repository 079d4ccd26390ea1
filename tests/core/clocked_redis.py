"""A Redis whose clock only the test moves: scripts run on it unchanged, and keys expire by it."""

from typing import Any

from redis import Redis
from redis.commands.core import Script

SECOND = 1_000_000
CLOCK = "recado:test:clock"
DEADLINES = "recado:test:deadlines"


# Stands between the script, unchanged, and the server. It refuses bare numbers, which some servers write as 1e+8.
SHIM = f"""
local server, redis = redis, {{}}
function redis.call(command, ...)
  for _, argument in ipairs({{ ... }}) do
    assert(type(argument) == 'string', command .. ' was given a bare number')
  end
  if command == 'TIME' then
    return server.call('HMGET', '{CLOCK}', 'seconds', 'microseconds')
  elseif command == 'PEXPIRE' then
    return server.call('HSET', '{DEADLINES}', ...)
  end
  return server.call(command, ...)
end
"""


class ClockedRedis(Redis):
    """Runs the script on a clock that stands still until a test moves it, and expires keys by that clock."""

    now = 0

    def register_script(self, script: Any) -> Script:
        return super().register_script(SHIM + script)

    def advance(self, seconds: float = 0, microseconds: int = 0) -> None:
        step = round(seconds * SECOND) + microseconds
        self.now += step
        whole, rest = divmod(self.now, SECOND)
        self.hset(CLOCK, mapping={"seconds": whole, "microseconds": rest})
        for key, milliseconds in self.hgetall(DEADLINES).items():
            left = float(milliseconds) - step / 1000
            if left <= 0:
                self.delete(key)
                self.hdel(DEADLINES, key)
            else:
                self.hset(DEADLINES, key, repr(left))


def forget_everything(client: Redis) -> None:
    for key in client.scan_iter(match="recado:*", count=1000):
        client.delete(key)

"""One Celery task is enough, however many messages wait: ringing twice wakes nobody twice.

A bell is a key in Redis. Rung, it stands at `rung` and one task is under way to answer it; while the task works it
stands at `busy`; a ring meanwhile turns it to `again`, and the task looks once more before it rests. It is
`asleep` while nothing can be done. The key times out by itself, so a worker that dies with it silences nobody for
long. A ring for later waits in a sorted set, which every worker watches (alarm_clock.py): no task with an ETA
exists.

The bell carries nothing. Lost, it costs seconds: the sweep of recover.py rings again.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from apps.core.redis import Redis
from apps.core.scripts import Question

# A task at work says so more often than this; one that died is missed so soon.
BUSY_SECONDS = 10
# A task that has waited in its queue for so long is started once more.
RUNG_SECONDS = 30
ALARMS = "recado:alarms"

# KEYS: bells. ARGV: how long `rung` lasts, in ms; 1 when no task that was started can still be in its queue.
# Returns for each 1 when a task has to be started.
_RING = """
local started = {}
for index, key in ipairs(KEYS) do
  local state = redis.call('GET', key)
  if not state or (state == 'rung' and ARGV[2] == '1') then
    redis.call('SET', key, 'rung', 'PX', ARGV[1])
    started[index] = 1
  else
    if state == 'busy' then
      redis.call('SET', key, 'again', 'KEEPTTL')
      redis.call('RPUSH', key .. ':wake', 1)
      redis.call('PEXPIRE', key .. ':wake', ARGV[1])
    end
    started[index] = 0
  end
end
return started
"""

# KEYS: a bell. ARGV: how long `busy` lasts, in ms.
_ANSWER = """
redis.call('SET', KEYS[1], 'busy', 'PX', ARGV[1])
redis.call('DEL', KEYS[1] .. ':wake')
return 1
"""

# KEYS: a bell. ARGV: how long `busy` lasts, in ms. Returns 1 when the task may rest, 0 when somebody rang since.
_REST = """
if redis.call('GET', KEYS[1]) == 'again' then
  redis.call('SET', KEYS[1], 'busy', 'PX', ARGV[1])
  return 0
end
redis.call('DEL', KEYS[1], KEYS[1] .. ':wake')
return 1
"""

# KEYS: the alarms. ARGV: seconds from now, bell.
_SET_ALARM = """
local time = redis.call('TIME')
local due = time[1] + time[2] / 1000000 + ARGV[1]
redis.call('ZADD', KEYS[1], 'LT', string.format('%.6f', due), ARGV[2])
return 1
"""

# KEYS: a bell, the alarms. ARGV: seconds from now, bell.
_SLEEP = """
redis.call('SET', KEYS[1], 'asleep', 'PX', math.floor(ARGV[1] * 1000) + 1000)
local time = redis.call('TIME')
local due = time[1] + time[2] / 1000000 + ARGV[1]
redis.call('ZADD', KEYS[2], string.format('%.6f', due), ARGV[2])
return 1
"""

# KEYS: the alarms. ARGV: at most so many. Returns the bells that are due, gone from the set, and the wait, in
# microseconds, until the next; -1 when there is none.
_DUE_ALARMS = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.6f', now), 'LIMIT', 0, ARGV[1])
if #due > 0 then
  redis.call('ZREM', KEYS[1], unpack(due))
end
local next = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return { due, next[2] and math.max(0, math.floor((next[2] - now) * 1000000)) or -1 }
"""


@dataclass(frozen=True, slots=True)
class Bell:
    """Whose door it is, and which of its bells: a busy account may keep several tasks at work."""

    name: str
    slot: int = 0

    @property
    def key(self) -> str:
        return f"recado:bell:{self.name}:{self.slot}"

    def __str__(self) -> str:
        return f"{self.name}#{self.slot}"

    @classmethod
    def read(cls, text: str) -> "Bell":
        name, _, slot = text.rpartition("#")
        return cls(name, int(slot))


class Doorbells:
    def __init__(self, client: Redis) -> None:
        self._client = client
        self._ring = client.register_script(_RING)
        self._answer = client.register_script(_ANSWER)
        self._rest = client.register_script(_REST)
        self._sleep = client.register_script(_SLEEP)
        self._set_alarm = client.register_script(_SET_ALARM)
        self._due_alarms = client.register_script(_DUE_ALARMS)

    def ring(self, bells: Iterable[Bell], *, is_queue_empty: bool = False) -> list[Bell]:
        """Those for which a task has to be started; the others have one already.

        When the queue of their tasks is empty, a task that nobody has answered for is lost, and started again.
        """
        asked = list(dict.fromkeys(bells))
        if not asked:
            return []
        arguments = [RUNG_SECONDS * 1000, int(is_queue_empty)]
        started = self._ring(keys=[bell.key for bell in asked], args=arguments)
        return [bell for bell, is_first in zip(asked, started, strict=True) if is_first]

    def answer(self, bell: Bell) -> None:
        """Said by the task that a ring started, and again while it works."""
        self.answering(bell).ask()

    def answering(self, bell: Bell) -> Question[None]:
        return Question(self._answer, [bell.key], [BUSY_SECONDS * 1000], lambda _said: None)

    def wait(self, bell: Bell, seconds: float) -> bool:
        """Until somebody rings, at most for so long, by a task that is at work and has nothing to do."""
        return self._client.blpop([f"{bell.key}:wake"], timeout=seconds) is not None

    def may_rest(self, bell: Bell) -> bool:
        """Asked when nothing is left to do. False: somebody rang since; look again."""
        return bool(self._rest(keys=[bell.key], args=[BUSY_SECONDS * 1000]))

    def forget(self, bells: Iterable[Bell]) -> None:
        """Their tasks could not be started, or will not look again."""
        keys = [bell.key for bell in bells]
        if keys:
            self._client.delete(*keys)

    def sleep(self, bell: Bell, seconds: float) -> None:
        """Nothing can be done before that time, so no ring before it starts a task: the alarm does."""
        self._sleep(keys=[bell.key, ALARMS], args=[f"{seconds:.6f}", str(bell)])

    def set_alarm(self, bell: Bell, seconds: float) -> None:
        """Rings for later do not keep others from ringing now. The earliest of several counts."""
        self._set_alarm(keys=[ALARMS], args=[f"{seconds:.6f}", str(bell)])

    def due_alarms(self, most: int = 100) -> tuple[list[Bell], float | None]:
        """The bells whose time has come, taken off the list, and the seconds until the next."""
        due, wait = self._due_alarms(keys=[ALARMS], args=[most])
        return [Bell.read(text.decode()) for text in due], None if wait < 0 else wait / 1_000_000

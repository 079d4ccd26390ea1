-- The generic cell rate algorithm: each message granted adds one interval to a debt that time pays off, and the
-- debt never grows past `burst` intervals.
--
-- Debt and pause are kept as what was left at the moment `at`, not as dates: when the clock is set back (a failover
-- to a machine that is behind), they stay what they were instead of growing by the difference.
-- Time is in microseconds, debt in nanoseconds: at 30,000 a second, intervals of whole microseconds would be one
-- percent off. Every number is an integer below 2^53, which a Lua number holds exactly.
--
-- take:  n, interval, burst, longest debt -> granted, remaining, retry after, reset after
-- pause: microseconds
local key, action = KEYS[1], ARGV[1]

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

local stored = redis.call('HMGET', key, 'at', 'debt', 'interval', 'pause')
local elapsed = math.max(0, now - (tonumber(stored[1]) or now))
local debt = math.max(0, (tonumber(stored[2]) or 0) - elapsed * 1000)
local interval = tonumber(stored[3]) or 0
local pause = math.max(0, (tonumber(stored[4]) or 0) - elapsed)

local function save()
  -- Redis 7.2.0 to 7.2.4 pass 100000000 on as 1e+8, which PEXPIRE refuses (redis#13113): numbers go as text.
  local function whole(number)
    return string.format('%d', number)
  end
  redis.call('HSET', key, 'at', whole(now), 'debt', whole(debt), 'interval', whole(interval), 'pause', whole(pause))
  -- One more, because Redis counts from the millisecond that has already begun.
  redis.call('PEXPIRE', key, whole(math.ceil(math.max(debt / 1000000, pause / 1000)) + 1))
end

if action == 'pause' then
  pause = math.max(pause, tonumber(ARGV[2]))
  save()
  return 1
end

local n, new_interval, burst, longest = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
if interval > 0 and interval ~= new_interval then
  -- What was used counts in messages, so that a raised quota is felt at once and a lowered one forgets nothing.
  debt = math.min(math.ceil(debt / interval * new_interval), longest)
end
interval = new_interval

local ceiling = burst * interval
local free = 0
if pause == 0 then
  free = math.max(0, math.floor((ceiling - debt) / interval))
end
local granted = math.min(n, free)
debt = debt + granted * interval

local retry_after = 0
if granted < n then
  retry_after = math.max(pause, math.ceil((debt + interval - ceiling) / 1000))
end
-- Refusals are saved too: after a clock was set back, time must be counted from its new reading.
save()
return { granted, free - granted, retry_after, math.max(pause, math.ceil(debt / 1000)) }

-- The generic cell rate algorithm: each message granted adds one interval to a debt that time pays off, and the
-- debt never grows past `burst` intervals.
--
-- Debt and pause are kept as what was left at the moment `at`, not as dates: when the clock is set back (a failover
-- to a machine that is behind), they stay what they were instead of growing by the difference.
-- Time is in microseconds, debt in nanoseconds: at 30,000 a second, intervals of whole microseconds would be one
-- percent off. Every number is an integer below 2^53, which a Lua number holds exactly.
--
-- take:      n, interval, burst, longest debt -> granted, remaining, retry after, reset after
-- take_each: 1, interval, burst, longest debt -> for each key, 0 when granted, else retry after
-- refund:    n
-- pause:     microseconds
local action = ARGV[1]

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

-- Redis 7.2.0 to 7.2.4 pass 100000000 on as 1e+8, which PEXPIRE refuses (redis#13113): numbers go as text.
local function whole(number)
  return string.format('%d', number)
end

local function load(key)
  local stored = redis.call('HMGET', key, 'at', 'debt', 'interval', 'pause')
  local elapsed = math.max(0, now - (tonumber(stored[1]) or now))
  return {
    key = key,
    debt = math.max(0, (tonumber(stored[2]) or 0) - elapsed * 1000),
    interval = tonumber(stored[3]) or 0,
    pause = math.max(0, (tonumber(stored[4]) or 0) - elapsed),
  }
end

local function save(bucket)
  redis.call('HSET', bucket.key, 'at', whole(now), 'debt', whole(bucket.debt), 'interval', whole(bucket.interval),
    'pause', whole(bucket.pause))
  -- One more, because Redis counts from the millisecond that has already begun.
  redis.call('PEXPIRE', bucket.key, whole(math.ceil(math.max(bucket.debt / 1000000, bucket.pause / 1000)) + 1))
end

local function take(bucket, n, interval, burst, longest)
  if bucket.interval > 0 and bucket.interval ~= interval then
    -- What was used counts in messages, so that a raised quota is felt at once and a lowered one forgets nothing.
    bucket.debt = math.min(math.ceil(bucket.debt / bucket.interval * interval), longest)
  end
  bucket.interval = interval
  local ceiling = burst * interval
  local free = 0
  if bucket.pause == 0 then
    free = math.max(0, math.floor((ceiling - bucket.debt) / interval))
  end
  local granted = math.min(n, free)
  bucket.debt = bucket.debt + granted * interval
  local retry_after = 0
  if granted < n then
    retry_after = math.max(bucket.pause, math.ceil((bucket.debt + interval - ceiling) / 1000))
  end
  -- Refusals are saved too: after a clock was set back, time must be counted from its new reading.
  save(bucket)
  return granted, free - granted, retry_after
end

if action == 'pause' then
  local bucket = load(KEYS[1])
  bucket.pause = math.max(bucket.pause, tonumber(ARGV[2]))
  save(bucket)
  return 1
end

if action == 'refund' then
  local bucket = load(KEYS[1])
  bucket.debt = math.max(0, bucket.debt - tonumber(ARGV[2]) * bucket.interval)
  save(bucket)
  return 1
end

local n, interval, burst, longest = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
if action == 'take_each' then
  local waits = {}
  for index, key in ipairs(KEYS) do
    local _, _, retry_after = take(load(key), n, interval, burst, longest)
    waits[index] = retry_after
  end
  return waits
end

local bucket = load(KEYS[1])
local granted, remaining, retry_after = take(bucket, n, interval, burst, longest)
return { granted, remaining, retry_after, math.max(bucket.pause, math.ceil(bucket.debt / 1000)) }

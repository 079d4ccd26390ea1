-- A circuit breaker. Closed and healthy is no key at all; `open_until` is there from the opening to the closing.
-- While it is, only the result of the probe counts: every other result is of a call that began before the opening.
--
-- ask:       failures, open for, probe for, new token   -> 1 when allowed, 1 when as the probe, wait, failures
-- succeeded: failures, open for, probe for, token or '' -> 1 when this closed it
-- failed:    failures, open for, probe for, token or '', so many -> 1 when this opened it
-- abandoned: failures, open for, probe for, token      -> 1 when the next to ask is the probe instead
-- state:                                               -> 0 closed, 1 open or 2 half open, failures, open until
-- All times are in microseconds.
local key, action = KEYS[1], ARGV[1]
local threshold, open_for, probe_for, token = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]

-- The result of a probe may come at any moment: whoever has to wait for it looks again so soon.
local SOON = 1000000

-- A day without a word about an account, and its failures are no longer in a row.
local MEMORY = 86400 * 1000000

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

local stored = redis.call('HMGET', key, 'failures', 'open_until', 'probe', 'probe_until')
local failures = tonumber(stored[1]) or 0
local open_until = tonumber(stored[2])
local probe = stored[3]
local probe_until = tonumber(stored[4])

-- Redis 7.2.0 to 7.2.4 pass 100000000 on as 1e+8, which PEXPIRE refuses (redis#13113): numbers go as text.
local function whole(number)
  return string.format('%d', number)
end

local function save(...)
  redis.call('HSET', key, ...)
  redis.call('PEXPIRE', key, whole(math.ceil((open_for + probe_for + MEMORY) / 1000)))
end

-- No wait is longer than the policy of the one who asks: it may have been shortened, or the clock set back.
local function wait_until(field, moment, longest)
  if moment - now > longest then
    moment = now + longest
    save(field, whole(moment))
  end
  return moment - now
end

if action == 'state' then
  if not open_until then
    return { 0, failures, 0 }
  end
  return { open_until > now and 1 or 2, failures, open_until }
end

if action == 'ask' then
  if not open_until then
    return { 1, 0, 0, failures }
  end
  local wait = wait_until('open_until', open_until, open_for)
  if wait <= 0 and probe then
    wait = math.min(wait_until('probe_until', probe_until, probe_for), SOON)
  end
  if wait > 0 then
    return { 0, 0, wait, failures }
  end
  save('probe', token, 'probe_until', whole(now + probe_for))
  return { 1, 1, 0, failures }
end

if action == 'abandoned' then
  if token ~= probe then
    return 0
  end
  redis.call('HDEL', key, 'probe', 'probe_until')
  return 1
end

-- A result of a probe counts while nobody else has been given the probe, any other while the breaker is closed.
local counts
if token == '' then
  counts = not open_until
else
  counts = token == probe
end
if not counts then
  return 0
end

if action == 'succeeded' then
  redis.call('DEL', key)
  return open_until and 1 or 0
end

failures = failures + (tonumber(ARGV[6]) or 1)
if not open_until and failures < threshold then
  save('failures', whole(failures))
  return 0
end
save('failures', whole(failures), 'open_until', whole(now + open_for))
redis.call('HDEL', key, 'probe', 'probe_until')
return 1

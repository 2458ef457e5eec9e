"""The Lua scripts of `RedisLedger`, with the formulas of `aigw.mechanics.gcra` and `aigw.mechanics.book`.

Each is one atomic step. They use plain keys and the server's own time alone: the clocks of its clients never enter.
Their first argument is 0; a test gives the time instead.
Times are whole microseconds; they are written with ``%.0f``, since Lua's ``tostring`` turns them into exponents.
Everything expires: rates an hour after they owe nothing, reservations when they end, spending when
its period is over.

Keys, all with one hash tag, so that they live in one slot of a cluster::

    {prefix}:t:<limit>   rate: its TAT, and until when it is blocked
    {prefix}:l:<limit>   rate: sorted set of leases, by when they end
    {prefix}:h:<limit>   slots: sorted set of reservations, by when they end
    {prefix}:s:<limit>   spending: hash of pieces
    {prefix}:o:<name>    reservation: when it ends
    {prefix}:p           sorted set of processes, by last use

A member of slots is the name of a reservation and its number of slots, one of leases its name and its microseconds;
the member ``-`` has their sum, as a negative score, which no time is. A rate has two keys, anything else one.
"""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

PEER_TTL: Final = 10
"""Seconds after its last reservation for which a process is counted."""

TOLERANCE: Final = 1
"""Microseconds that do not count; see `aigw.mechanics.gcra`."""

SPARE: Final = 10_000
"""Milliseconds for which a reservation is kept after its end, which is compared; expiry only cleans up."""

VOID_KEPT: Final = 60_000
"""Milliseconds for which a reservation that was given up is refused, should its command still arrive."""


LEASES_KEPT: Final = 60_000
"""Milliseconds for which leases are kept after their end: until what is taken for spent then is paid off."""


class Script(NamedTuple):
    """A script, and the hash under which a server knows it.

    Args:
        text: Lua.
        sha: its SHA-1, as ``EVALSHA`` wants it.
    """

    text: str
    sha: str


_COMMON: Final = """
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local function text(number) return string.format('%.0f', number) end
local function hold(key, amount) return -tonumber(redis.call('ZINCRBY', key, -amount, '-')) end
local function keep_rate(key, tat, blocked)
  local left = math.max(tat, blocked, now) - now
  redis.call('SET', key, text(tat) .. ' ' .. text(blocked), 'PX', text(left / 1000 + 3600000))
end
local function rate_of(key, leases)
  local tat, blocked = string.match(redis.call('GET', key) or '', '^(%-?%d+) (%d+)$')
  tat, blocked = tonumber(tat), tonumber(blocked or 0)
  local leased = -tonumber(redis.call('ZSCORE', leases, '-') or 0)
  if leased > 0 then
    local over = redis.call('ZRANGEBYSCORE', leases, '(0', text(now), 'WITHSCORES')
    for i = 1, #over, 2 do
      local amount = tonumber(string.match(over[i], '%d+$'))
      redis.call('ZREM', leases, over[i])
      leased = hold(leases, -amount)
      tat = math.max(tat or 0, tonumber(over[i + 1])) + amount
    end
    if #over > 0 then keep_rate(key, tat, blocked) end
  end
  return tat, blocked, leased
end
local function total(key, piece, oldest)
  local sum, pieces = 0, redis.call('HGETALL', key)
  for i = 1, #pieces, 2 do
    local number = tonumber(pieces[i])
    if number >= oldest then sum = sum + tonumber(pieces[i + 1])
    elseif number < 2 * oldest - piece - 1 then redis.call('HDEL', key, pieces[i]) end
  end
  return sum
end
local function spend(key, piece, amount, lasts)
  if tonumber(amount) > 0 or redis.call('HEXISTS', key, piece) == 1 then
    redis.call('HINCRBY', key, piece, amount)
    redis.call('PEXPIRE', key, lasts)
  end
end
local function held(key)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', key, '(0', text(now))) do
    redis.call('ZREM', key, member)
    hold(key, -tonumber(string.match(member, '%d+$')))
  end
  return -tonumber(redis.call('ZSCORE', key, '-') or 0)
end
"""


def _script(body: str) -> Script:
    text = _COMMON + body
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


UNKNOWN_WAIT: Final = 1 << 53
"""What `RESERVE` answers for a wait that depends on other calls."""

RESERVE: Final = _script(f"""
local lasts = tonumber(ARGV[2])
if redis.call('EXISTS', KEYS[1]) == 1 then return {{0, 0, 0}} end
redis.call('ZADD', KEYS[2], text(now), ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', text(now - {PEER_TTL}000000))
redis.call('PEXPIRE', KEYS[2], {PEER_TTL}000)
local worst, longest, claim, at, key = 0, 0, 0, 5, 3
while key <= #KEYS do
  local kind, amount, capacity = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local wait = 0
  if kind == 'rate' or kind == 'lease' then
    local burst, tat, blocked, leased = tonumber(ARGV[at + 3]), rate_of(KEYS[key], KEYS[key + 1])
    local ahead = math.max(tat or 0, now) + leased
    wait = math.max(ahead + math.min(amount, burst) - burst - {TOLERANCE}, blocked) - now
    key = key + 1
  elseif kind == 'spend' then
    if total(KEYS[key], tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])) + amount > capacity then
      wait = {UNKNOWN_WAIT}
    end
  elseif held(KEYS[key]) + amount > capacity then
    wait = {UNKNOWN_WAIT}
  end
  claim, at, key = claim + 1, at + 6, key + 1
  if wait > longest then worst, longest = claim, wait end
end
local peers = redis.call('ZCARD', KEYS[2])
if worst > 0 then return {{worst, longest, peers}} end
at, key = 5, 3
while key <= #KEYS do
  local kind, amount = ARGV[at], ARGV[at + 1]
  if kind == 'rate' then
    local tat, blocked = rate_of(KEYS[key], KEYS[key + 1])
    keep_rate(KEYS[key], math.max(tat or 0, now) + tonumber(amount), blocked)
    key = key + 1
  elseif kind == 'lease' then
    redis.call('ZADD', KEYS[key + 1], text(now + lasts), ARGV[4] .. ' ' .. amount)
    hold(KEYS[key + 1], tonumber(amount))
    redis.call('PEXPIRE', KEYS[key + 1], text(lasts / 1000 + {LEASES_KEPT}))
    key = key + 1
  elseif kind == 'spend' then
    spend(KEYS[key], ARGV[at + 3], amount, ARGV[at + 5])
  else
    redis.call('ZADD', KEYS[key], text(now + lasts), ARGV[4] .. ' ' .. amount)
    hold(KEYS[key], tonumber(amount))
    local last = redis.call('ZRANGE', KEYS[key], -1, -1, 'WITHSCORES')
    redis.call('PEXPIRE', KEYS[key], text(math.max(tonumber(last[2]) - now, 0) / 1000 + {SPARE}))
  end
  at, key = at + 6, key + 1
end
redis.call('SET', KEYS[1], text(now + lasts), 'PX', text(lasts / 1000 + {SPARE}))
return {{0, 0, peers}}
""")
"""Reserve all claims, or none. Answers the number of the claim that refused (0: none), its wait, the processes.

A lease is asked for as a reservation of its own; see `aigw.mechanics.lease`.

Keys: the reservation, the processes, those of each claim. Arguments: the time of a test, how long it lasts, the
process, the name of the reservation, and six for each claim: kind, amount (a rate's and a lease's in microseconds),
capacity, then a rate's burst, or a spending's piece, oldest piece, and the milliseconds for which it is kept.
"""

SETTLE: Final = _script(f"""
local ends = redis.call('GET', KEYS[1])
if not ends and ARGV[2] == 'void' then redis.call('SET', KEYS[1], '0', 'PX', {VOID_KEPT}) end
if not ends then return 0 end
if ARGV[2] ~= 'part' then redis.call('DEL', KEYS[1]) end
if tonumber(ends) <= now then return 0 end
local at, key = 4, 2
while key <= #KEYS do
  local kind, more = ARGV[at], ARGV[at + 1]
  if kind == 'slots' then
    if redis.call('ZREM', KEYS[key], ARGV[3] .. ' ' .. more) == 1 then hold(KEYS[key], -tonumber(more)) end
  elseif kind == 'spend' then
    spend(KEYS[key], ARGV[at + 2], more, ARGV[at + 3])
  else
    local tat, blocked = rate_of(KEYS[key], KEYS[key + 1])
    if kind == 'lease' then
      local leased = tonumber(ARGV[at + 2])
      if redis.call('ZREM', KEYS[key + 1], ARGV[3] .. ' ' .. text(leased)) == 0 then return 0 end
      local left = ARGV[2] == 'part' and leased - tonumber(more) or 0
      if left > 0 then redis.call('ZADD', KEYS[key + 1], ends, ARGV[3] .. ' ' .. text(left)) end
      hold(KEYS[key + 1], left - leased)
      tat = math.max(tat or 0, now - tonumber(ARGV[at + 3]))
    end
    if more ~= '0' then keep_rate(KEYS[key], (tat or now) + tonumber(more), blocked) end
    key = key + 1
  end
  at, key = at + 4, key + 1
end
return 1
""")
"""Replace what was reserved by what was used, once, and not after the reservation ended.

Keys: the reservation, those of each claim. Arguments: the time of a test, ``void`` for a reservation that nobody knows
the outcome of, ``part`` for a lease of which the rest is kept, the name, and four for each claim: kind, difference (of
slots what they were, of a lease what was spent of it), then a spending's piece and milliseconds, or what a lease was,
and microseconds since something was spent.
"""

CHARGE: Final = _script(f"""
if not redis.call('SET', KEYS[1], '0', 'NX', 'PX', {VOID_KEPT}) then return 0 end
if ARGV[2] == 'rate' then
  local since, tat, blocked = now - tonumber(ARGV[4]), rate_of(KEYS[2], KEYS[3])
  keep_rate(KEYS[2], math.max(tat or since, since) + tonumber(ARGV[3]), blocked)
elseif ARGV[2] == 'shift' then
  local tat, blocked = rate_of(KEYS[2], KEYS[3])
  keep_rate(KEYS[2], (tat or now) + tonumber(ARGV[3]), blocked)
else
  spend(KEYS[2], ARGV[4], ARGV[3], ARGV[5])
end
return 1
""")
"""Count what the store was not told in time, once.

What was used while the store was away is charged from the time when the use began, as ``rate`` or ``spend``; ``shift``
settles what was reserved of leases that are over.

Keys: a name for this step, those of the limit. Arguments: the time of a test, kind, amount, and the microseconds since
the use began, or piece and milliseconds.
"""

RAISE: Final = _script("""
local tat, blocked = rate_of(KEYS[1], KEYS[2])
keep_rate(KEYS[1], math.max(tat or 0, now + tonumber(ARGV[2])), math.max(blocked, now + tonumber(ARGV[3])))
return 1
""")
"""See to it that a rate's TAT is at least so many microseconds ahead, and that it is blocked for so many.

Keys: those of the rate. Arguments: the time of a test, and the two.
"""

USED: Final = _script("""
if ARGV[2] == 'rate' then
  local tat, blocked, leased = rate_of(KEYS[1], KEYS[2])
  return math.max((tat or now) - now, 0) + leased
end
if ARGV[2] == 'spend' then return total(KEYS[1], tonumber(ARGV[3]), tonumber(ARGV[4])) end
return held(KEYS[1])
""")
"""How much is used; for a rate the microseconds by which its TAT is ahead, and what is leased.

Keys: those of the limit. Arguments: the time of a test, kind, and a spending's piece and oldest piece.
"""

SCRIPTS: Final = (RESERVE, SETTLE, CHARGE, RAISE, USED)
"""All of them."""

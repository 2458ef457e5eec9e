"""The Lua scripts of `RedisLedger`, with the formulas of `aigw.mechanics.gcra` and `aigw.mechanics.book`.

Each is one atomic step. They use plain keys and the server's own time alone: the clocks of its clients never enter.
Their first argument is 0; a test gives the time instead.
Times are whole microseconds; they are written with ``%.0f``, since Lua's ``tostring`` turns them into exponents.
Everything expires: rates an hour after they owe nothing, reservations when they end, spending when
its period is over.

Keys, all with one hash tag, so that they live in one slot of a cluster::

    {prefix}:t:<limit>   rate: its TAT, and until when it is blocked
    {prefix}:h:<limit>   slots: sorted set of reservations, by when they end
    {prefix}:s:<limit>   spending: hash of pieces
    {prefix}:o:<name>    reservation: when it ends
    {prefix}:p           sorted set of processes, by last use

A member of slots is the name of a reservation and its number of slots; the member ``-`` has their sum, as a negative
score, which no time is.
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
local function rate_of(key)
  local tat, blocked = string.match(redis.call('GET', key) or '', '^(%-?%d+) (%d+)$')
  return tonumber(tat or now), tonumber(blocked or 0)
end
local function keep_rate(key, tat, blocked)
  local left = math.max(tat, blocked, now) - now
  redis.call('SET', key, text(tat) .. ' ' .. text(blocked), 'PX', text(left / 1000 + 3600000))
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
local function hold(key, amount) return -tonumber(redis.call('ZINCRBY', key, -amount, '-')) end
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
local worst, longest, at = 0, 0, 5
for i = 3, #KEYS do
  local kind, amount, capacity = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local wait = 0
  if kind == 'rate' then
    local burst, tat, blocked = tonumber(ARGV[at + 3]), rate_of(KEYS[i])
    wait = math.max(math.max(tat, now) + math.min(amount, burst) - burst - {TOLERANCE}, blocked) - now
  elseif kind == 'spend' then
    if total(KEYS[i], tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])) + amount > capacity then
      wait = {UNKNOWN_WAIT}
    end
  elseif held(KEYS[i]) + amount > capacity then
    wait = {UNKNOWN_WAIT}
  end
  if wait > longest then worst, longest = i - 2, wait end
  at = at + 6
end
local peers = redis.call('ZCARD', KEYS[2])
if worst > 0 then return {{worst, longest, peers}} end
at = 5
for i = 3, #KEYS do
  local kind = ARGV[at]
  if kind == 'rate' then
    local tat, blocked = rate_of(KEYS[i])
    keep_rate(KEYS[i], math.max(tat, now) + tonumber(ARGV[at + 1]), blocked)
  elseif kind == 'spend' then
    spend(KEYS[i], ARGV[at + 3], ARGV[at + 1], ARGV[at + 5])
  else
    redis.call('ZADD', KEYS[i], text(now + lasts), ARGV[4] .. ' ' .. ARGV[at + 1])
    hold(KEYS[i], tonumber(ARGV[at + 1]))
    local last = redis.call('ZRANGE', KEYS[i], -1, -1, 'WITHSCORES')
    redis.call('PEXPIRE', KEYS[i], text(math.max(tonumber(last[2]) - now, 0) / 1000 + {SPARE}))
  end
  at = at + 6
end
redis.call('SET', KEYS[1], text(now + lasts), 'PX', text(lasts / 1000 + {SPARE}))
return {{0, 0, peers}}
""")
"""Reserve all claims, or none. Answers the number of the claim that refused (0: none), its wait, the processes.

Keys: the reservation, the processes, one for each claim. Arguments: the time of a test, how long it lasts, the
process, the name of the reservation, and six for each claim: kind, amount (a rate's in microseconds), capacity, then
a rate's burst, or a spending's piece, oldest piece, and the milliseconds for which it is kept.
"""

SETTLE: Final = _script(f"""
local ends = redis.call('GET', KEYS[1])
if not ends and ARGV[2] == 'void' then redis.call('SET', KEYS[1], '0', 'PX', {VOID_KEPT}) end
if not ends then return 0 end
redis.call('DEL', KEYS[1])
if tonumber(ends) <= now then return 0 end
local at = 4
for i = 2, #KEYS do
  local kind, more = ARGV[at], ARGV[at + 1]
  if kind == 'slots' then
    if redis.call('ZREM', KEYS[i], ARGV[3] .. ' ' .. more) == 1 then hold(KEYS[i], -tonumber(more)) end
  elseif kind == 'spend' then
    spend(KEYS[i], ARGV[at + 2], more, ARGV[at + 3])
  elseif more ~= '0' then
    local tat, blocked = rate_of(KEYS[i])
    keep_rate(KEYS[i], tat + tonumber(more), blocked)
  end
  at = at + 4
end
return 1
""")
"""Replace what was reserved by what was used, once, and not after the reservation ended.

Keys: the reservation, one for each claim. Arguments: the time of a test, ``void`` for a reservation that nobody knows
the outcome of, its name, and four for each claim: kind, difference (of slots what they were), and a spending's piece
and milliseconds.
"""

CHARGE: Final = _script(f"""
if not redis.call('SET', KEYS[1], '0', 'NX', 'PX', {VOID_KEPT}) then return 0 end
if ARGV[2] == 'rate' then
  local since, tat, blocked = now - tonumber(ARGV[4]), rate_of(KEYS[2])
  if redis.call('EXISTS', KEYS[2]) == 0 then tat = since end
  keep_rate(KEYS[2], math.max(tat, since) + tonumber(ARGV[3]), blocked)
else
  spend(KEYS[2], ARGV[4], ARGV[3], ARGV[5])
end
return 1
""")
"""Count what was used while the store was away, once. A rate is charged from the time when the use began.

Keys: a name for this step, the limit. Arguments: the time of a test, kind, amount, microseconds since the use began, or
piece and milliseconds.
"""

RAISE: Final = _script("""
local tat, blocked = rate_of(KEYS[1])
keep_rate(KEYS[1], math.max(tat, now + tonumber(ARGV[2])), math.max(blocked, now + tonumber(ARGV[3])))
return 1
""")
"""See to it that a rate's TAT is at least so many microseconds ahead, and that it is blocked for so many.

Key: the rate. Arguments: the time of a test, and the two.
"""

USED: Final = _script("""
if ARGV[2] == 'rate' then return (rate_of(KEYS[1])) - now end
if ARGV[2] == 'spend' then return total(KEYS[1], tonumber(ARGV[3]), tonumber(ARGV[4])) end
return held(KEYS[1])
""")
"""How much is used; for a rate the microseconds by which its TAT is ahead.

Key: the limit. Arguments: the time of a test, kind, and a spending's piece and oldest piece.
"""

SCRIPTS: Final = (RESERVE, SETTLE, CHARGE, RAISE, USED)
"""All of them."""

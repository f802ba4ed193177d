import type { Keys } from "../redis/keys.js";

/** The KEYS of the scripts below. */
export function flagKeys(keys: Keys, flagName: string): string[] {
  return [
    keys.flag(flagName),
    keys.flagInfo(flagName),
    keys.recovery(flagName),
    keys.events,
    keys.outbox,
    keys.lease,
    keys.rollout(flagName),
    keys.flagWeight(flagName),
  ];
}

/**
 * Shared by the scripts that change the flag. KEYS flag, info, recovery, events, outbox, lease, rollout, weight
 *
 * Whatever sets the flag to false aborts the rollout in the same step.
 */
export const FLAG_FUNCTIONS = `
local function read_flag()
  local raw = redis.call('GET', KEYS[1]) or redis.call('HGET', KEYS[2], 'value') or 'true'
  return raw == 'true' and 'true' or 'false'
end
local function now_ms()
  local time = redis.call('TIME')
  return time[1] .. string.format('%03d', math.floor(time[2] / 1000))
end
-- A ledger that takes no entry, as after one with the greatest id, must not keep the flag from changing.
local function enter(kind, fields, length)
  local id = redis.pcall('XADD', KEYS[4], 'MAXLEN', '~', length, '*', 'kind', kind, unpack(fields))
  if type(id) == 'string' then return id end
  return now_ms() .. '-0'
end
local function describe(value, fields, id)
  redis.call('HSET', KEYS[2], 'value', value, 'event', id, unpack(fields, 1, 6))
end
local function mail(kind, fields, id)
  redis.pcall('XADD', KEYS[5], '*', 'event', id, 'kind', kind, unpack(fields))
end
-- A key of another type is no rollout, and must not keep the flag from changing.
local function is_rolling()
  local phase = redis.pcall('HGET', KEYS[7], 'phase')
  return phase == 'Progressing' or phase == 'Paused' or phase == 'Promoting'
end
-- Returns the event's data with the rollout's id.
local function abort_rollout(by, reason, data)
  local rule = string.match(data, '"rule":"([%w ]+)"')
  redis.call('HSET', KEYS[7], 'phase', 'Aborted', 'weight', '0', 'heldBy', '', 'outcome', rule or by,
    'by', by, 'reason', reason, 'at', now_ms())
  redis.call('SET', KEYS[8], '0')
  local id = string.match(redis.call('HGET', KEYS[7], 'id') or '', '^%d+$') or 'null'
  return '{"rollout":' .. id .. ',"phase":"Aborted",' .. string.sub(data, 2)
end
-- Of the event of a flip to ARGV[1], which aborts the rollout if it is to false.
local function flip_fields(by, reason, at, data)
  if ARGV[1] == 'false' and is_rolling() then data = abort_rollout(by, reason, data) end
  return {'by', by, 'reason', reason, 'at', at, 'data', data}
end
`;

/**
 * KEYS as `flagKeys`
 * ARGV value, by, reason, at, data, cause or '', recovery or '', fence or '', ledger length, expected value or '',
 *   last flip's event or '', 'further' or ''
 */
export const FLIP = `${FLAG_FUNCTIONS}
if ARGV[8] ~= '' and redis.call('GET', KEYS[6]) ~= ARGV[8] then return 'fenced' end
local current = read_flag()
if ARGV[10] ~= '' and current ~= ARGV[10] then return 'conflict' end
if ARGV[11] ~= '' and (redis.call('HGET', KEYS[2], 'event') or 'none') ~= ARGV[11] then return 'conflict' end
local unset = not redis.call('GET', KEYS[1]) and not redis.call('HGET', KEYS[2], 'value')
local aborts = ARGV[1] == 'false' and is_rolling()
local changed = aborts or current ~= ARGV[1] or (unset and ARGV[12] ~= '')
-- Where the value is only assumed, others may assume another: a person's word is written.
if not changed and ARGV[2] == 'operator' then redis.call('SET', KEYS[1], ARGV[1], 'NX') end
local held = not changed and ARGV[2] == 'operator' and ARGV[1] == 'false' and redis.call('HGET', KEYS[2], 'by') ~= 'operator'
if not changed and not held then return 'unchanged' end
local fields = flip_fields(ARGV[2], ARGV[3], ARGV[4], ARGV[5])
if ARGV[6] ~= '' then enter(ARGV[6], fields, ARGV[9]) end
local id = enter('flip', fields, ARGV[9])
redis.call('SET', KEYS[1], ARGV[1])
describe(ARGV[1], fields, id)
if ARGV[7] == '' then redis.call('DEL', KEYS[3]) else redis.call('SET', KEYS[3], ARGV[7]) end
if held then return 'held' end
if ARGV[12] == '' then mail('flip', fields, id) end
return 'changed'
`;

/**
 * KEYS as `flagKeys`
 * ARGV value seen, reason, at, data, fence, ledger length
 */
export const ADOPT = `${FLAG_FUNCTIONS}
if redis.call('GET', KEYS[6]) ~= ARGV[5] then return 'fenced' end
local recorded = redis.call('HGET', KEYS[2], 'value') or 'true'
if read_flag() ~= ARGV[1] or recorded == ARGV[1] then return 'unchanged' end
local fields = flip_fields('operator', ARGV[2], ARGV[3], ARGV[4])
local id = enter('flip', fields, ARGV[6])
describe(ARGV[1], fields, id)
redis.call('DEL', KEYS[3])
mail('flip', fields, id)
return 'changed'
`;

/**
 * KEYS as `flagKeys`
 * ARGV value, reason, at, data, fence, ledger length
 */
export const RESTORE = `${FLAG_FUNCTIONS}
if redis.call('GET', KEYS[6]) ~= ARGV[5] then return 'fenced' end
if redis.call('EXISTS', KEYS[1]) == 1 then return 'unchanged' end
local fields = flip_fields('monitor', ARGV[2], ARGV[3], ARGV[4])
redis.call('SET', KEYS[1], ARGV[1])
local id = enter('flip', fields, ARGV[6])
describe(ARGV[1], fields, id)
mail('flip', fields, id)
return 'changed'
`;

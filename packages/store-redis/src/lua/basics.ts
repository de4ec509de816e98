/** What every script has before all else: little, for what a script defines costs time in each of its runs. */

/**
 * Lua of the names, and of how numbers are written. KEYS[1] is `<prefix>:{<tag>}:<kind>`; every other name is made
 * from it (so that a client's `keyPrefix` is kept). ARGV 1: the present instant. Before it come the constants of a
 * store; see script.ts.
 */
export const BASICS: string = String.raw`
local now = tonumber(ARGV[1])
local head, here, kind = string.match(KEYS[1], "^(.*){(.-)}(.*)$")

-- how a record and a tombstone are packed; payload and ending come behind
local RECORD, STONE = "<c2ddI4I4I4ddI6Bc0I2c0Bc0", "<c2dddBc0I2c0Bc0I2c0"

-- as good as for ever; how far what is over is below; ms of slack
local EVER, OVER, SLACK = 1e14, 4e14, 60000

-- what the first three characters of an id are
local TAG = "^[%w_-][%w_-][AQgw]"

-- the name of what is kept under a tag
local function at(t, what)
  return head .. "{" .. t .. "}" .. kind .. what
end

-- a number as text, nothing lost
local function text(number)
  return string.format("%.17g", number)
end

-- a deadline as a score; a negative sign where it is what an owner is counted by
local function score(sign, instant)
  return text(sign * math.max(0, math.min(instant, EVER)))
end

-- an instant as six ASCII characters that sort as it does, to the ms, until the year 2109
local function stamp(instant)
  local left = math.floor(math.max(0, math.min(instant, 2 ^ 42 - 1)))
  return string.char(math.floor(left / 2 ^ 35), math.floor(left / 2 ^ 28) % 128, math.floor(left / 2 ^ 21) % 128,
    math.floor(left / 2 ^ 14) % 128, math.floor(left / 2 ^ 7) % 128, left % 128)
end

-- for so long something is kept that is needed until an instant; says nothing about life
local function life(instant)
  return string.format("%.0f", math.min(EVER, math.max(1, math.ceil(instant - now + SLACK))))
end
`;

--- How often a program does its operation, so that a run takes long enough to
--- be measured and no longer. All functions are pure.
local M = {}

--- N may grow by so much from one try to the next.
local GROWTH <const> = 20

--- A crowd is left out if it would take more seconds or bytes than that.
M.MOST_SECONDS = 30
M.MOST_BYTES = 4e9

--- Return N of the first try.
function M.first(size)
  return math.max(1, size // 100)
end

--- Return the next N, or `n` if that suits. `took` is the seconds that `n`
--- operations took, `target` what they should take.
function M.next(n, took, target)
  if took >= target / 2 then
    local fits = math.floor(n * target / took)
    return took <= 2 * target and n or math.max(1, fits)
  end
  local factor = took > 0 and target / took or GROWTH
  return math.floor(n * math.min(GROWTH, factor)) + 1
end

--- Return why `n` operations of such a cost are too much, or nil.
function M.too_much(cost, n)
  if cost.cpu * n > M.MOST_SECONDS then
    return ("would take %.0f s"):format(cost.cpu * n)
  elseif cost.peak * n > M.MOST_BYTES then
    return ("would take %.0f GB"):format(cost.peak * n / 1e9)
  end
end

return M

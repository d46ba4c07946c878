--- Writes figures for people: three digits and a unit.
local M = {}

local SECONDS <const> = { { 1, "s" }, { 1e-3, "ms" }, { 1e-6, "µs" },
  { 1e-9, "ns" } }
local BYTES <const> = { { 1e9, "GB" }, { 1e6, "MB" }, { 1e3, "kB" },
  { 1, "B" } }

local BYTE_FIGURES <const> = { peak = true, live = true }

--- Return the factor and the name of the unit that suits a value.
function M.unit(figure, value)
  if figure == "instructions" then
    return 1, ""
  end
  local units = BYTE_FIGURES[figure] and BYTES or SECONDS
  for _, unit in ipairs(units) do
    if math.abs(value) >= unit[1] then
      return unit[1], unit[2]
    end
  end
  return units[#units][1], units[#units][2]
end

--- Return a number with three digits, if it has no more before its point.
function M.digits(x)
  local size = math.abs(x)
  local format = size >= 99.95 and "%.0f" or size >= 9.995 and "%.1f" or "%.2f"
  return format:format(x)
end

--- Return a figure with its unit, as "1.25 µs". A difference that noise has
--- made negative is 0.
function M.show(figure, value)
  if value <= 0 then
    return "0"
  end
  local factor, name = M.unit(figure, value)
  local text = M.digits(value / factor)
  return name == "" and text or text .. " " .. name
end

return M

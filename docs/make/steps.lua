--- steps.lua: draws the way of one event through aiowire
---
--- The functions are those of docs/developing.md, "One event, from Lua and
--- back". spec/tree/pictures_spec.lua checks that each stands in its file, and
--- that the document names it.

local svg = require "docs.make.svg"

local M = {}

--- The columns: their titles, and the first words of the paths in them.
M.LANES = {
  { "your code", "in Lua" },
  { "the binding", "lua/bind/" },
  { "running", "core/run/, core/base/" },
  { "driving", "core/drive/" },
  { "waiting", "libuv, the kernel" },
}

--- The way: lane, what happens, function, file. The first field is the number
--- in the document.
M.WAY = {
  { 1, 1, "aw.sleep(1)" },
  { 1, 2, "act_sleep()", "lua/bind/objects/functions.c" },
  { 2, 3, "aw_await_sleep()", "core/run/wait.c" },
  { 3, 3, "aw__alarm_set()", "core/base/deadline.c" },
  { 3, 3, "park()", "core/run/wait.c" },
  { 4, 2, "awl_wait()", "lua/bind/run/await.c" },
  { 4, 2, "resume_worker()", "lua/bind/run/worker.c" },
  { 4, 2, "awl_drive()", "lua/bind/run/driver.c" },
  { 4, 4, "aw_next()", "core/drive/next.c" },
  { 5, 4, "wait_or_jump()", "core/drive/next.c" },
  { 5, 5, "epoll_wait()" },
  { 5, 4, "pass()", "core/drive/next.c" },
  { 5, 4, "aw__expire()", "core/drive/expire.c" },
  { 6, 3, "aw__task_wake()", "core/run/task.c" },
  { 6, 3, "aw__ready_push()", "core/base/ready.c" },
  { 7, 3, "aw__ready_round()", "core/base/ready.c" },
  { 7, 3, "aw__ready_pop()", "core/base/ready.c" },
  { 8, 3, "aw__step_run()", "core/run/step.c" },
  { 8, 3, "resume_host()", "core/run/step.c" },
  { 8, 4, "aw_next()", "core/drive/next.c" },
  { 9, 2, "dispatch_step()", "lua/bind/run/driver.c" },
  { 9, 2, "awl_worker_resume()", "lua/bind/run/worker.c" },
  { 9, 2, "after_park()", "lua/bind/run/await.c" },
  { 9, 2, "awl_after_wait()", "lua/bind/run/await.c" },
  { 9, 1, "aw.sleep returns" },
}

local LANE <const>, LEFT <const>, TOP <const> = 150, 34, 104
local PITCH <const>, BOX <const>, WIDTH <const> = 30, 20, 800
local COLOURS <const> = { "gold", "blue", "green", "green", "red" }

local function middle_of(lane)
  return LEFT + LANE * (lane - 0.5) + 4
end

local function draw_lanes(page, bottom)
  for i, lane in ipairs(M.LANES) do
    local x = middle_of(i)
    page:text(x, 52, lane[1], "title", "middle")
    page:text(x, 70, lane[2], "grey", "middle")
    page:rect(x - LANE / 2 + 2, 80, LANE - 4, bottom - 80, "band")
  end
end

-- Draws the way from a box to the next one: down in the same lane, else
-- sideways and down.
local function draw_way(page, from, to, y)
  local x1, x2 = middle_of(from), middle_of(to)
  if from == to then
    page:arrow(x1, y + BOX / 2, x1, y + PITCH - BOX / 2)
  else
    local side = x2 > x1 and 1 or -1
    page:arrow(x1 + side * (LANE / 2 - 3), y + 4,
      x2 - side * (LANE / 2 - 12), y + PITCH - BOX / 2)
  end
end

--- Return the file of the picture.
---@param about table title, desc
---@return string
function M.draw(about)
  local bottom = TOP + PITCH * (#M.WAY - 1) + 20
  local page = svg.page { width = WIDTH, height = bottom + 16,
    title = about.title, desc = about.desc }
  page:text(16, 26, about.title, "title")
  page:text(WIDTH - 16, 26, "numbers as in docs/developing.md", "grey", "end")
  draw_lanes(page, bottom)
  local newest
  for i, step in ipairs(M.WAY) do
    local number, lane, name = step[1], step[2], step[3]
    local x, y = middle_of(lane), TOP + PITCH * (i - 1)
    if number ~= newest then
      page:text(16, y + 4, tostring(number), "title")
      page:line(16, y - PITCH / 2, WIDTH - 16, y - PITCH / 2)
      newest = number
    end
    page:rect(x - LANE / 2 + 3, y - BOX / 2, LANE - 6, BOX, COLOURS[lane], 4)
    page:text(x, y + 4, name, "code", "middle")
    if M.WAY[i + 1] then
      draw_way(page, lane, M.WAY[i + 1][2], y)
    end
  end
  return page:file()
end

return M

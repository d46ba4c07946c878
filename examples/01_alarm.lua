#!/usr/bin/env aiowire
-- An alarm: sleep, then beep, four times.
--
-- `a >> b` means "a, then b"; `w * n` means "w, n times". Both make a new wire
-- and run nothing. `start` schedules a wire, and the loop runs it.
local aw = require "aiowire"

local alarm = (aw.Sleep(0.1) >> aw.Call(print, "beep\a")) * 4

local ev <close> = aw.EventLoop() -- runs when this block is left
ev:start(alarm)

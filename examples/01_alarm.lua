#!/usr/bin/env aiowire
-- An alarm: sleep, then beep, four times.
--
-- `a >> b` is "a, then b"; `w * n` is "w, n times". Both make a new value and
-- run nothing; `start` schedules a value, and the loop runs it.
local aw = require "aiowire"

local alarm = (aw.Sleep(0.1) >> aw.Call(print, "beep\a")) * 4

local ev <close> = aw.EventLoop() -- runs when this block is left
ev:start(alarm)

-- The programs of bench/peers/ run where their peer is installed: here they do
-- an operation no times, and twice. Those of the group "io" need an address.

local process = require "spec.support.process"

local jobs = require "bench.jobs"
local peers = require "bench.peers"
local programs = require "bench.run.programs"
local shell = require "bench.run.shell"

local build <const> = process.binary:match "^(.*)/"

--- Return the commands that run the peer's programs, and what is missing for
--- others.
local function commands_of(peer)
  local commands, missing = {}, nil
  for _, job in ipairs(jobs) do
    local path, why_not
    if job.group == "engine" then
      path, why_not = programs.find(build, peer, job)
    end
    if path then
      local words = programs.start(build, peer, path)
      commands[#commands + 1] = shell.join(words)
    elseif why_not and why_not ~= "source" then
      missing = why_not
    end
  end
  return commands, missing
end

-- Runs a program, and shows what it prints, or how it fails.
local check <const> = [[
check() {
  said=$("$@" 2>&1)
  code=$?
  [ $code = 0 ] && [ -z "$said" ] || printf '%s\n' "$*: exit $code" "$said"
}
]]

--- Run all programs at the same time, since those that sleep take a second.
local function run_all(commands)
  local lines = { check, "cd " .. shell.quote(process.root) }
  for _, command in ipairs(commands) do
    lines[#lines + 1] = ("check %s 0 &"):format(command)
    lines[#lines + 1] = ("check %s 2 &"):format(command)
  end
  lines[#lines + 1] = "wait"
  return process.run(table.concat(lines, "\n"))
end

local function describe_peer(peer)
  local commands, missing = commands_of(peer)
  if #commands > 0 then
    it(("for %s do their %d jobs silently [bench]"):format(peer.title,
      #commands), function()
      if peer.name == "module" and process.sanitized then
        pending "stock Lua cannot load a module with sanitizers"
        return
      end
      process.assert_outcome("", 0, run_all(commands))
    end)
  end
  if missing then
    it(("for %s have what they need [bench]"):format(peer.title), function()
      pending("missing: " .. missing)
    end)
  end
end

describe("the programs of the bench", function()
  for _, peer in ipairs(peers) do
    describe_peer(peer)
  end
end)

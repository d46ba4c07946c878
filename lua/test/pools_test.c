/* pools_test.c - aw.pool, from two threads at the same time
 *
 * Each thread has Lua states of its own with pools, one state after the other:
 * jobs, cancels, crashes and closes at any time. Run it under ThreadSanitizer:
 * ./dev tsan.
 */
#include "scripts.h"

static void test_jobs(void) {
  run_on_threads(
      "local aw = require 'aiowire'\n"
      "aw.run(function()\n"
      "  local pool <close> = aw.pool(2, function(n)\n"
      "    if n % 7 == 0 then error { n } end\n"
      "    if n % 5 == 0 then require 'aiowire'.yield() end\n"
      "    return n, { n }\n"
      "  end)\n"
      "  local left = 200\n"
      "  local function work()\n"
      "    while left > 0 do\n"
      "      local n = left\n"
      "      left = left - 1\n"
      "      local ok, got = pcall(pool.call, pool, n)\n"
      "      assert(ok == (n % 7 ~= 0) and (ok and got or got[1]) == n)\n"
      "    end\n"
      "  end\n"
      "  aw.all { work, work, work }\n"
      "end)",
      NULL);
}

/* ThreadSanitizer delays signals until calls such as malloc(), which the table
 * needs. */
static void test_cancels(void) {
  run_on_threads(
      "local aw = require 'aiowire'\n"
      "aw.run(function()\n"
      "  local pool <close> = aw.pool(2, function(n)\n"
      "    if n % 2 == 0 then require 'aiowire'.sleep(1000) end\n"
      "    while n % 3 == 0 do local t = {} end\n"
      "    return n\n"
      "  end)\n"
      "  for i = 1, 12 do\n"
      "    aw.await(pool:Call(i) | pool:Call(i) | aw.Sleep(i / 10000))\n"
      "  end\n"
      "  assert(pool:call(5) == 5)\n"
      "end)",
      NULL);
}

static void test_crashes(void) {
  run_on_threads("local aw = require 'aiowire'\n"
                 "aw.run(function()\n"
                 "  local pool <close> = aw.pool(2, function(n)\n"
                 "    if n % 3 == 0 then os.exit(n) end\n"
                 "    return n\n"
                 "  end)\n"
                 "  local calls = {}\n"
                 "  for i = 1, 12 do calls[i] = pool:Call(i) end\n"
                 "  for i, outcome in ipairs(aw.settle(calls)) do\n"
                 "    assert(outcome.ok == (i % 3 ~= 0))\n"
                 "  end\n"
                 "end)",
                 NULL);
}

static void test_closes(void) {
  run_on_threads(
      "local aw = require 'aiowire'\n"
      "aw.run(function(ev)\n"
      "  for i = 1, 4 do\n"
      "    local pool = aw.pool(2, function(n)\n"
      "      require 'aiowire'.sleep(n)\n"
      "    end)\n"
      "    for n = 1, 4 do ev:start(pool:Call(n), function() end) end\n"
      "    aw.sleep(i / 5000)\n"
      "    pool:close()\n"
      "  end\n"
      "end)\n"
      "aw.run(function() kept = aw.pool(1, function()\n"
      "  return 1 end) kept:call() end)",
      NULL);
}

int main(void) {
  test_jobs();
  test_cancels();
  test_crashes();
  test_closes();
  return 0;
}

/* workers_test.c - aw.thread, from two threads at the same time
 *
 * Each thread has Lua states of its own, which start workers, one state after
 * the other: messages, cancels and ends at any time. Run it under
 * ThreadSanitizer: ./dev tsan.
 */
#include "scripts.h"

static void test_results(void) {
  run_on_threads("local aw = require 'aiowire'\n"
                 "aw.run(function(ev)\n"
                 "  for i = 1, 10 do\n"
                 "    local t <close> = aw.thread(function(n)\n"
                 "      require 'aiowire'.sleep(0)\n"
                 "      return n, { n }\n"
                 "    end, i)\n"
                 "    ev:start(function() assert(t:wait() == i) end)\n"
                 "    assert(t:wait() == i)\n"
                 "    aw.yield()\n"
                 "  end\n"
                 "end)",
                 NULL);
}

static void test_messages(void) {
  run_on_threads(
      "local aw = require 'aiowire'\n"
      "local function echo()\n"
      "  local aw = require 'aiowire'\n"
      "  for v in aw.parent:iter() do aw.parent:send(v) end\n"
      "end\n"
      "aw.run(function(ev)\n"
      "  local a <close> = aw.thread(echo)\n"
      "  local b <close> = aw.thread(echo)\n"
      "  for _, t in ipairs { a, b } do\n"
      "    ev:start(function()\n"
      "      for i = 1, 100 do t:send { i } end\n"
      "    end)\n"
      "    local got = 0\n"
      "    while got < 100 do\n"
      "      local v = aw.await(aw.Recv(t) | aw.Sleep(0.0001):bind(\n"
      "        function() end))\n"
      "      if v then got = got + 1 assert(v[1] == got) end\n"
      "    end\n"
      "  end\n"
      "end)",
      NULL);
}

static void test_cancels(void) {
  run_on_threads("local aw = require 'aiowire'\n"
                 "aw.run(function(ev)\n"
                 "  for i = 1, 20 do\n"
                 "    local t <close> = aw.thread(function()\n"
                 "      local aw = require 'aiowire'\n"
                 "      while true do aw.parent:send(1) end\n"
                 "    end)\n"
                 "    for _ = 1, i do aw.timeout(10, t.recv, t) end\n"
                 "    ev:start(function() pcall(t.recv, t) end):cancel()\n"
                 "    if i % 2 == 0 then t:cancel() pcall(t.wait, t) end\n"
                 "  end\n"
                 "end)",
                 NULL);
}

static void test_ends(void) {
  run_on_threads(
      "local aw = require 'aiowire'\n"
      "aw.run(function()\n"
      "  for i = 1, 5 do\n"
      "    local t = aw.thread(function()\n"
      "      local aw = require 'aiowire'\n"
      "      local inner = aw.thread(function()\n"
      "        require 'aiowire'.sleep(100)\n"
      "      end)\n"
      "      aw.parent:send(inner.status)\n"
      "      aw.sleep(100)\n"
      "    end)\n"
      "    if i % 2 == 0 then t:recv() end\n"
      "  end\n"
      "  collectgarbage()\n"
      "end)\n"
      "kept = aw.thread(function() require 'aiowire'.parent:recv() end)",
      NULL);
}

/* A body that is busy is interrupted by the signal of its thread; its warnings
 * go to the state that started it. ThreadSanitizer delays signals until calls
 * such as malloc(), which the table needs. */
static void test_interrupts(void) {
  run_on_threads("local aw = require 'aiowire'\n"
                 "warn '@off'\n"
                 "aw.run(function()\n"
                 "  for i = 1, 5 do\n"
                 "    local t <close> = aw.thread(function()\n"
                 "      warn 'a warning'\n"
                 "      require 'aiowire'.parent:send(1)\n"
                 "      while true do local t = {} end\n"
                 "    end)\n"
                 "    if i % 2 == 0 then t:recv() end\n"
                 "    t:cancel()\n"
                 "    pcall(t.wait, t)\n"
                 "  end\n"
                 "end)",
                 NULL);
}

int main(void) {
  test_interrupts();
  test_results();
  test_messages();
  test_cancels();
  test_ends();
  return 0;
}

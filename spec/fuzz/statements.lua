--- The grammar of statements. Most run in `try`, so that a program goes on
--- after an error.
return {
  statement = { "30* try(function() <simple> end)", "2* <simple>",
    "8* try(function() <place> end)", "6* try(function() <strike> end)",
    "3* for _ = 1, <count> do aw.yield() end" },
  simple = { "10* <make>", "20* <act>", "8* <await>", "6* <memory>",
    "3* <empty>", "2* <look_>", "1* <ending>" },
  await = {
    "4* aw.yield()", "6* aw.sleep(<seconds>)", "aw.sleep_until(<seconds>)",
    "3* aw.timeout(<seconds>, <function_>)",
    "4* storm(W(<wire>):timeout(0))",
    "3* aw.shield(<function_>, <short>)", "2* aw.pcall(<function_>)",
    "2* aw.run(<function_>, { timeout = 0.01, grace = 0.002 })",
    "2* <real>aw.signal(<signal>)",
    "2* <real>aw.dns.resolve('127.1')", "<real>aw.dns.resolve('a.invalid')",
    "<real>aw.dns.reverse('127.0.0.1')", "<real>aw.dns.reverse('10.1.2.3')",
    "2* <real>storm(aw.Call(aw.dns.resolve, 'a.invalid'):timeout(0))",
    "<real>storm(aw.Call(aw.dns.reverse, '::1'):timeout(0))",
    "<real>aw.pcall(aw.dns.resolve, <value>, <shape>)",
    "2* <real>aw.tcp.connect('localhost', 1)",
    "<real>aw.unix.connect('/nobody', { timeout = <seconds> })",
    "<real>storm(aw.Call(aw.tcp.connect, '127.0.0.1', 1):timeout(0))",
    "3* <real>os.execute('kill -' .. <signal> .. ' $PPID')",
    "2* <virtual>aw.test(function(ev, clock) O.loop2 = ev <block>"
      .. "clock:advance(<short>) end)",
  },
  -- Statements that take an object away while other code uses it.
  strike = {
    "4* <strike_object>", "2* collectgarbage()", "2* <empty> collectgarbage()",
    "3* coroutine.close(<co>)", "3* aw.stats()", "use(<event>, 'set')",
    "3* use(<scope>, 'start', <runnable>, <handler>)", "use(<scope>, 'cancel')",
    "4* use(<task>, 'cancel')", "2* use(<loop>, 'stop')", "1* <statement>",
    "<make>",
  },
  memory = { "5* collectgarbage()", "2* collectgarbage('step')",
    "2* churn()", "2* aw.stats()" },
  look_ = { "3* look(<any>)", "tostring(<any>)" },
  ending = { "6* error(<value>, 0)", "1* exit(3, true)", "1* exit(3)" },
}

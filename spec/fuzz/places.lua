--- The grammar of places: functions that the library calls, and statements that
--- make other statements run at an unusual time.
return {
  -- Bodies, handlers, functions of catch, finally, map, …
  function_ = {
    "6* fn(function(...) keep(...)<block>end)",
    "8* fn(function(...) <strike> end)",
    "2* fn(function(...) keep(...) <strike> return <runnable> end)",
    "2* fn(function(...) keep(...)<block>return <runnable> end)",
    "fn(function(...)<block>return aw.Value(<value>) end)",
    "fn(function(...) keep(...)<block>error(<value>, 0) end)",
    "fn(function() O.co1 = coroutine.running()<block>end)",
  },
  handler = { "4* <function_>", "2* nil" },
  shape = { "shape(<function_>, <value>)" },
  place = {
    -- The end of a block.
    "6* do local _ <close> = closer(<function_>)<block>end",
    "2* do local _ <close> = closer(<function_>) error(<value>, 0) end",
    "3* do local _ <close> = <any> <block>end",
    "2* for _ = 1, <count> do<block>end",
    "2* for _ = 1, 40 do <statement> end",
    "4* pcall(function()<block>end)",
    "6* <finalizer>", "4* <hook>", "4* <coroutine_>",
    "1* table.sort({ 1, 2, 3 }, <function_>)",
    [[1* ("xx"):gsub("x", <function_>)]],
  },
  -- The finalizer uses an object, which may be finalized already.
  finalizer = {
    "2* doomed(<function_>)", "4* mine(<function_>)",
    "2* mine(fn(aw.stats))",
    "6* <dropped>",
    "2* left(<function_>, <any>)",
    "1* left(fn(function(_, x) <slot> = x <block>end), <any>)",
  },
  hook = {
    [[hook(<function_>, "", 50)]], [[hook(<function_>, "", 7)]],
    [[hook(<function_>, "c")]], [[hook(<function_>, "r")]],
    "debug.sethook()",
  },
  coroutine_ = {
    "3* O.co1 = coroutine.running()", "2* O.co2 = coroutine.running()",
    "2* O.co2 = coroutine.create(<function_>)",
    "coroutine.resume(<co>, <value>)", "5* coroutine.close(<co>)",
    "coroutine.wrap(<function_>)()", "aw.wrap(<function_>)()",
    "O.generator1 = aw.wrap(<function_>)", "coroutine.yield()",
    "O.generator1 = coroutine.wrap(<function_>)",
    "2* if O.generator1 then O.generator1() end", "1* aw.install()",
    "debug.traceback(<co>)",
  },
}

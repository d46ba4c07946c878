--- The grammar of wires: leaves and composites. Endless wires sleep in each
--- iteration, so that time goes on.
return {
  wire = { "20* <leaf>", "10* <composed>", "6* <modified>" },
  -- A wire in a slot is extended by one element at a time. If such wires were
  -- combined, they would grow exponentially.
  extended = {
    "(<slotted> >> <leaf>)", "(<slotted> | <leaf>)", "(<slotted> & <leaf>)",
    "(<slotted> // <leaf>)", "<slotted>:timeout(<seconds>)",
  },
  slotted = { "W(<built>)" },
  runnable = { "10* <wire>", "2* <slotted>", "1* <extended>" },
  leaf = {
    "3* aw.Value(<value>)", "6* aw.Sleep(<seconds>)", "4* aw.Never",
    "20* aw.Wire(<function_>)", "aw.Wire(<function_>, <value>)",
    "aw.Call(aw.sleep, <seconds>)", "2* aw.Call(<function_>, <value>)",
    "aw.Call(error, <value>)", "1* aw.SleepUntil(<seconds>)",
    "1* aw.At { sec = 30 }", "2* aw.Done(<task>)", "3* aw.Recv(<channel>)",
    "2* aw.Recv(<stream>)", "aw.Call(aw.copy, <stream>, <stream>, <count>)",
    "3* aw.Send(<channel>, <value>)", "3* aw.Wait(<event>)",
    "3* aw.Acquire(<semaphore>)", "4* aw.Readable(<source>)",
    "2* aw.Writable(<source>)", "<real>aw.Signal(<signal>)",
    "aw.Exec(<command>)", "4* <real>aw.Recv(<socket>)",
    [[3* <real>aw.Send(<socket>, "x")]], "4* W(<poller>)",
    "2* aw.Accept(<server>)",
    "2* aw.Serve(<server>, <function_>)", "aw.Recv(<server>)",
    "2* aw.Serve(<server>, serve(<function_>), <function_>)",
    "2* aw.Call(dial, <server>)",
    "<real>aw.Call(aw.dns.resolve, <name>)", "2* aw.Recv(<udp>)",
    "aw.Call(aw.pipeline, { <command> }, { <command> })",
    [[<real>aw.Call(aw.fs.open, PLAN.fifo, "w")]],
    "1* aw.Wire(<shape>)",
  },
  composed = {
    "(W(<wire>) >> W(<wire>))", "(W(<wire>) | W(<wire>))",
    "(W(<wire>) & W(<wire>))", "(W(<wire>) // W(<wire>))",
    "(W(<wire>) * <count>)", "(W(<wire>) / <function_>)",
    "aw.Race{ <wire>, <wire> }", "aw.All{ <wire>, <wire>, <wire> }",
    "aw.Any{ <wire>, <wire> }", "aw.Select{ <leaf>, <leaf> }",
    "aw.All{ limit = 1, <wire>, x = <wire> }",
    "aw.Sequence(<wire>, <wire>, <wire>)", "aw.Repeat(<wire>, <count>)",
    "aw.Forever(aw.Sleep(0.002) >> W(<wire>))", "aw.Every(0.003, <wire>)",
    "1* aw.All(<shape>)", "1* aw.Race(<shape>)",
  },
  modified = {
    "2* W(<wire>):timeout(<seconds>)", "W(<wire>):catch(<function_>)",
    "2* W(<wire>):finally(<function_>, <short>)",
    "W(<wire>):retry{ times = <count>, delay = 0.001 }",
    "W(<wire>):retry{ times = 2, when = <function_> }",
    "W(<wire>):supervise(<function_>)", "W(<wire>):map(<function_>)",
    "W(<wire>):bind(<function_>)", "W(<wire>):whole()",
    "W(<wire>):shielded(<short>)", [[1* W(<wire>):named("n")]],
  },
}

return {
  breaks = "Awaits that complete at once yield when their budget is spent [F3]",
  find = [[
return !aw_task_cancelled(w->task) && ++w->at_once < BUDGET;
]],
  put = [[
return !aw_task_cancelled(w->task);
]],
  spec = "sync",
  it = "lets others run after a budget",
}

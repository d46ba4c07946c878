return {
  breaks = "A released permit goes to the task that waits longest [F5]",
  find = [[
if (let_through(&semaphore->gate))
    return 0;
  if (semaphore->count == semaphore->most)
]],
  put = [[
if (semaphore->count == 0 && !aw__list_empty(&semaphore->gate.waiting))
    (void)let_through(&semaphore->gate);
  if (semaphore->count == semaphore->most)
]],
  spec = "sync",
  it = "gives a permit to its first waiter",
}

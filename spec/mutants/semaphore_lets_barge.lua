return {
  breaks = "A permit that is given back goes to the first who waits [F5]",
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

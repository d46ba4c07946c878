// Each function waits for the next; a cancel of the innermost sleep ends all.
const { setTimeout } = require("node:timers/promises");

async function nest(depth, signal) {
  await null; // Without it, all calls would be on one stack.
  if (depth > 0) await nest(depth - 1, signal);
  else await setTimeout(3_600_000, undefined, { signal });
}

async function main(depth) {
  const controller = new AbortController();
  const task = nest(depth, controller.signal);
  await setTimeout(0);
  controller.abort();
  await Promise.allSettled([task]);
}

main(Number(process.argv[2]));

const { setTimeout } = require("node:timers/promises");

async function sleeper(signal) {
  await setTimeout(3_600_000, undefined, { signal });
}

async function main(count) {
  const controllers = [];
  const tasks = [];
  for (let i = 0; i < count; i++) {
    const controller = new AbortController();
    controllers.push(controller);
    tasks.push(sleeper(controller.signal));
  }
  for (const controller of controllers) controller.abort();
  await Promise.allSettled(tasks);
}

main(Number(process.argv[2]));

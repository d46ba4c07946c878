const { setTimeout } = require("node:timers/promises");

let seed = 1;

async function sleeper() {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
  await setTimeout(500 + (seed % 500));
}

for (let left = Number(process.argv[2]); left > 0; left--) sleeper();

const { setImmediate } = require("node:timers/promises");

async function yields(count) {
  for (let i = 0; i < count; i++) await setImmediate();
}

const half = Math.floor(Number(process.argv[2]) / 2);
yields(half);
yields(half);

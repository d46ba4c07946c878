const { setImmediate } = require("node:timers/promises");

async function main(count) {
  for (let i = 0; i < count; i++) await setImmediate();
}

main(Number(process.argv[2]));

const { setImmediate } = require("node:timers/promises");

function expired() {
  throw new Error("not cancelled");
}

async function main(count) {
  const timers = [];
  for (let i = 0; i < count; i++) timers.push(setTimeout(expired, 3_600_000));
  await setImmediate();
  for (const timer of timers) clearTimeout(timer);
}

main(Number(process.argv[2]));

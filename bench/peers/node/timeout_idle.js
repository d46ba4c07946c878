const { setImmediate } = require("node:timers/promises");

async function timeout(milliseconds, work) {
  let timer;
  const expired = new Promise((_, reject) => {
    timer = setTimeout(reject, milliseconds, new Error("timeout"));
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}

async function main(count) {
  for (let i = 0; i < count; i++) await timeout(10_000, setImmediate());
}

main(Number(process.argv[2]));

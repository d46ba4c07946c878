async function sleeper() {
  let timer;
  const sleep = new Promise((resolve) => {
    timer = setTimeout(resolve, 10_000);
  });
  const timeout = new Promise((_, reject) => {
    setTimeout(reject, 100, new Error("timeout"));
  });
  try {
    await Promise.race([sleep, timeout]);
  } catch {
    clearTimeout(timer);
  }
}

for (let left = Number(process.argv[2]); left > 0; left--) sleeper();

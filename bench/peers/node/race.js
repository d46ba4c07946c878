async function nothing() {}

async function main(count) {
  for (let i = 0; i < count; i++) {
    let timer;
    const sleep = new Promise((resolve) => {
      timer = setTimeout(resolve, 10_000);
    });
    await Promise.race([sleep, nothing()]);
    clearTimeout(timer);
  }
}

main(Number(process.argv[2]));

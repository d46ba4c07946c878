async function fails() {
  throw new Error("boom");
}

async function nothing() {}

async function main(count) {
  for (let i = 0; i < count; i++) {
    try {
      await fails();
    } catch {
      await nothing();
    }
  }
}

main(Number(process.argv[2]));

async function fails() {
  throw new Error("boom");
}

async function main(count) {
  for (let i = 0; i < count; i++) {
    try {
      await fails();
    } catch (error) {
      error.message;
    }
  }
}

main(Number(process.argv[2]));

// A state is a function that returns the next one. At each await, other
// promises have their turn.
let left = Number(process.argv[2]);

async function ping() {
  left -= 1;
  if (left > 0) return pong;
}

async function pong() {
  left -= 1;
  if (left > 0) return ping;
}

async function main() {
  let current = left > 0 ? ping : undefined;
  while (current) current = await current();
}

main();

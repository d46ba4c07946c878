// A state is a function that returns the next one. At each await, other
// promises have their turn.
let left = Number(process.argv[2]);

async function state() {
  left -= 1;
  if (left > 0) return state;
}

async function main() {
  let current = left > 0 ? state : undefined;
  while (current) current = await current();
}

main();

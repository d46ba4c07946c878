// A state is an object whose method returns the next one. At each await, other
// promises have their turn.
class State {
  constructor(left) {
    this.left = left;
  }

  async run() {
    this.left -= 1;
    if (this.left > 0) return this;
  }
}

async function main(count) {
  let current = count > 0 ? new State(count) : undefined;
  while (current) current = await current.run();
}

main(Number(process.argv[2]));

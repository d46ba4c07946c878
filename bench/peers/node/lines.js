// lines.js N: reads N lines from the standard output of a program.
const { spawn } = require("node:child_process");
const readline = require("node:readline");

let left = Number(process.argv[2]);
const child = spawn("yes", ["x".repeat(50)]);
const lines = readline.createInterface({ input: child.stdout });

lines.on("line", () => {
  left--;
  if (left < 0) {
    lines.close();
    child.stdout.destroy();
  }
});

// exec.js N AT_ONCE: runs a program N times.
const util = require("node:util");
const execFile = util.promisify(require("node:child_process").execFile);

let left = Number(process.argv[2]);

async function work() {
  while (left > 0) {
    left--;
    await execFile("/bin/true");
  }
}

for (let i = 0; i < Number(process.argv[3]); i++) work();

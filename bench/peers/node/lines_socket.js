// lines_socket.js N PORT: reads N lines from a connection.
const net = require("node:net");
const readline = require("node:readline");

let left = Number(process.argv[2]);

const server = net.createServer((stream) => {
  const lines = readline.createInterface({ input: stream });
  lines.on("line", () => {
    left--;
    if (left < 0) {
      lines.close();
      stream.destroy();
      server.close();
    }
  });
});
server.listen(process.argv[3], "127.0.0.1");

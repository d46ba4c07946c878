// tcp_copy.js N PORT: copies N megabytes from one connection to the next.
const net = require("node:net");

let from;

const server = net.createServer((stream) => {
  if (from) {
    from.pipe(stream);
    server.close();
  } else {
    from = stream;
  }
});
server.listen(process.argv[3], "127.0.0.1");

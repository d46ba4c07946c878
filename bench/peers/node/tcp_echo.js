// tcp_echo.js PORT: sends back what comes.
const net = require("node:net");

net
  .createServer({ noDelay: true }, (stream) => {
    stream.on("error", () => {});
    stream.pipe(stream);
  })
  .listen({ host: "127.0.0.1", port: process.argv[2], backlog: 1024 });

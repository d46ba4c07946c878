// tls_echo.js PORT FOLDER: sends back what comes.
const fs = require("node:fs");
const tls = require("node:tls");

const [, , port, folder] = process.argv;
const options = {
  cert: fs.readFileSync(`${folder}/cert.pem`),
  key: fs.readFileSync(`${folder}/key.pem`),
  noDelay: true,
};

tls
  .createServer(options, (stream) => {
    stream.on("error", () => {});
    stream.pipe(stream);
  })
  .listen({ host: "127.0.0.1", port, backlog: 1024 });

// tls_read.js PORT FOLDER: reads what comes and drops it.
const fs = require("node:fs");
const tls = require("node:tls");

const [, , port, folder] = process.argv;
const options = {
  cert: fs.readFileSync(`${folder}/cert.pem`),
  key: fs.readFileSync(`${folder}/key.pem`),
};

tls
  .createServer(options, (stream) => {
    stream.on("end", () => stream.end());
    stream.on("error", () => {});
    stream.resume();
  })
  .listen({ host: "127.0.0.1", port });

// tls_connect.js N PORT FOLDER: connects N times, sends 64 bytes and gets them
// back.
const fs = require("node:fs");
const tls = require("node:tls");

let left = Number(process.argv[2]);
const [, , , port, folder] = process.argv;
const options = {
  host: "127.0.0.1",
  port,
  secureContext: tls.createSecureContext({
    ca: fs.readFileSync(`${folder}/cert.pem`),
  }),
};
const request = Buffer.alloc(64, "x");

function visit() {
  if (left-- === 0) {
    return;
  }
  let got = 0;
  const stream = tls.connect(options, () => stream.write(request));
  stream.on("data", (bytes) => {
    got += bytes.length;
    if (got === request.length) {
      stream.end();
    }
  });
  stream.on("close", visit);
}

visit();

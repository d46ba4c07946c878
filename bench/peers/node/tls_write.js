// tls_write.js PORT FOLDER: answers each byte with a MiB, in pieces of 64 KiB.
const { once } = require("node:events");
const fs = require("node:fs");
const tls = require("node:tls");

const [, , port, folder] = process.argv;
const options = {
  cert: fs.readFileSync(`${folder}/cert.pem`),
  key: fs.readFileSync(`${folder}/key.pem`),
};
const piece = Buffer.alloc(65536, "x");

async function answer(stream) {
  for await (const bytes of stream) {
    for (let i = 0; i < 16 * bytes.length; i++) {
      if (!stream.write(piece)) {
        await once(stream, "drain");
      }
    }
  }
}

tls
  .createServer(options, (stream) => {
    answer(stream).catch(() => {});
  })
  .listen({ host: "127.0.0.1", port });

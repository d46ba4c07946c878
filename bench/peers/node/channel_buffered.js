// A stream of objects that holds 64 of them.
const { once } = require("node:events");
const { PassThrough } = require("node:stream");

const count = Number(process.argv[2]);
const channel = new PassThrough({ objectMode: true, highWaterMark: 64 });

async function send() {
  for (let i = 1; i <= count; i++) {
    if (!channel.write(i)) await once(channel, "drain");
  }
  channel.end();
}

async function receive() {
  for await (const value of channel) value;
}

send();
receive();

// poller.js N ACTIVE/ALL: N datagrams, in rounds of ACTIVE, on some of ALL
// sockets that are watched, after a first round of all and one of ACTIVE. Each
// socket is connected to itself.
const dgram = require("node:dgram");

const [active, all] = process.argv[3].split("/").map(Number);
const sockets = [];
let left = active + Number(process.argv[2]);
let awaited = 0;

function send(count) {
  awaited = count;
  for (let i = 0; i < count; i++) sockets[i].send("x");
}

function gotOne() {
  awaited--;
  if (awaited > 0) return;
  if (left === 0) process.exit();
  const count = Math.min(left, active);
  left -= count;
  send(count);
}

function connected() {
  sockets.push(this);
  if (sockets.length === all) send(all);
}

for (let i = 0; i < all; i++) {
  const socket = dgram.createSocket("udp4");
  socket.on("message", gotOne);
  socket.bind(0, "127.0.0.1", () => {
    socket.connect(socket.address().port, "127.0.0.1", connected.bind(socket));
  });
}

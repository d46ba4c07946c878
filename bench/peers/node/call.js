let left = Number(process.argv[2]);

function call() {
  left -= 1;
  if (left > 0) queueMicrotask(call);
}

if (left > 0) queueMicrotask(call);

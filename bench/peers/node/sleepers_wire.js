function nothing() {}

let seed = 1;
for (let left = Number(process.argv[2]); left > 0; left--) {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
  setTimeout(nothing, 500 + (seed % 500));
}

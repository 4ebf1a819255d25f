// Answers calls to checkout.wasm, whose path is the argument. A line of standard input is an operation and its input in
// base64; the line of standard output for it is the answer in base64.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]));
const wasm = instance.exports;

const maxInput = 65536;

function call(operation, input) {
  input = input.subarray(0, maxInput + 1);
  const at = wasm.alloc(input.length);
  new Uint8Array(wasm.memory.buffer, at).set(input);
  const answer = wasm[operation](at, input.length);
  const size = Number(answer & 0xffffffffn);
  return new Uint8Array(wasm.memory.buffer, Number(answer >> 32n), size);
}

for await (const line of createInterface({ input: process.stdin })) {
  const [operation, input] = line.split(" ");
  process.stdout.write(Buffer.from(call(operation, Buffer.from(input, "base64"))).toString("base64") + "\n");
}

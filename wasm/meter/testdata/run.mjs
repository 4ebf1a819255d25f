// Runs instrumented modules. A line of standard input is a module in base64, the units for a call, the name of an operation and the
// size of its input of zeros; the line of standard output for it is what came of it: how it ended, the units that are left, the
// answer's address and size, its bytes, and the pages of memory. outcome in host_test.go does the same in wazero.
import { createInterface } from "node:readline";

function outcome(module, fuel, operation, size) {
  let wasm;
  try {
    wasm = new WebAssembly.Instance(new WebAssembly.Module(module)).exports;
  } catch (error) {
    return error instanceof WebAssembly.RuntimeError ? "start" : error instanceof WebAssembly.CompileError ? "invalid" : String(error);
  }
  const counter = wasm.crepe_fuel;
  counter.value = fuel;
  try {
    const answer = BigInt.asUintN(64, wasm[operation](wasm.alloc(size), size));
    const at = Number(answer >> 32n), length = Number(answer & 0xffffffffn);
    const memory = wasm.memory.buffer;
    const bytes = at + length <= memory.byteLength ? Buffer.from(memory, at, Math.min(length, 64)).toString("hex") : "outside";
    return `ok ${counter.value} ${answer.toString(16)} ${bytes} ${memory.byteLength >> 16}`;
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) return String(error); // a RangeError if the stack overflows
    const left = counter.value;
    return `${left <= -(2n ** 62n) ? "depth" : left < 0n ? "fuel" : "trap"} ${left}`;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const [module, fuel, operation, size] = line.split(" ");
  console.log(outcome(Buffer.from(module, "base64"), BigInt(fuel), operation, Number(size)));
}

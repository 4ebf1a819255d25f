// Answers calls of an Extism plugin. The arguments are its path and whether it gets WASI. A line of standard input is [operation, input];
// the line of standard output for it is the answer.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import createPlugin from "@extism/extism";

const plugin = await createPlugin({ wasm: [{ data: readFileSync(process.argv[2]) }] }, { useWasi: process.argv[3] === "true" });
for await (const line of createInterface({ input: process.stdin })) {
  const [operation, input] = JSON.parse(line);
  process.stdout.write((await plugin.call(operation, input)).text() + "\n");
}
await plugin.close();

// Prints the time of a call of an Extism plugin in microseconds. The arguments are the plugin, the operation and its input.
import { readFileSync } from "node:fs";
import createPlugin from "@extism/extism";

const [, , file, operation, input] = process.argv;
const plugin = await createPlugin({ wasm: [{ data: readFileSync(file) }] });
const calls = 2000;
for (let i = 0; i < calls; i++) await plugin.call(operation, input);
const start = performance.now();
for (let i = 0; i < calls; i++) await plugin.call(operation, input);
process.stdout.write(String(((performance.now() - start) / calls) * 1000));
await plugin.close();

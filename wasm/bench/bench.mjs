// The part of BenchmarkHosts that runs in Node. The first line of standard input is a JSON list of billing details. Its answer has the
// size, the start time and the verdicts of each bundle. Every further line, such as "zod 1000", validates billing details that often, starting
// again at the end of the list. Its answer is the time in nanoseconds.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { runInThisContext } from "node:vm";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { validator } from "./schema.mjs";

const here = import.meta.dirname;
const module = readFileSync(`${here}/../checkout.wasm`);

const made = {
	name: "made",
	setup(build) {
		build.onResolve({ filter: /^made:/ }, ({ path }) => ({ path, namespace: "made" }));
		build.onLoad({ filter: /./, namespace: "made" }, () => ({ contents: validator, resolveDir: here }));
	},
};

async function bundle(name) {
	const { outputFiles } = await build({
		entryPoints: [`${here}/${name}.mjs`], bundle: true, minify: true, format: "iife", globalName: "bundle", target: "es2022",
		write: false, plugins: [made],
	});
	return outputFiles[0].text;
}

const size = (bytes) => ({
	raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotliCompressSync(bytes).length,
});

const milliseconds = async (start) => {
	const begin = process.hrtime.bigint();
	await start();
	return Number(process.hrtime.bigint() - begin) / 1e6;
};

const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];

async function medianOf(rounds, start) {
	const times = [];
	for (let round = 0; round < rounds; round++) times.push(await milliseconds(() => start(round)));
	return median(times);
}

// evaluate runs a bundle. V8 caches compiled code, so each round has a different comment.
const evaluate = (code, round = "") => runInThisContext(`${code}\n//${round}\nbundle`);

// fresh returns the module with an added custom section of a new name, for the same reason.
const fresh = (round) => Buffer.concat([module, Buffer.from([0, 2, 1, 65 + round])]);

function instantiate(bytes) {
	const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
	exports._initialize();
	return exports;
}

// textCall calls the module without a loader, with JSON in UTF-8.
function textCall() {
	const wasm = instantiate(module);
	return (input) => {
		const at = wasm.alloc(input.length);
		new Uint8Array(wasm.memory.buffer, at, input.length).set(input);
		const answer = BigInt.asUintN(64, wasm.billing(at, input.length));
		const from = Number(answer >> 32n);
		return new Uint8Array(wasm.memory.buffer).slice(from, from + Number(answer & 0xffff_ffffn));
	};
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const details = JSON.parse((await lines.next()).value);
const texts = details.map((detail) => Buffer.from(JSON.stringify(detail)));

const rounds = 20;
const report = {
	node: process.versions.node, module: size(module), bundles: {},
	compile: await medianOf(rounds, (round) => instantiate(fresh(round))),
};
const subjects = { text: [textCall(), texts] };
for (const name of ["core", "zod", "ajv"]) {
	const code = await bundle(name);
	const { billing } = await evaluate(code).load(module);
	const start = await medianOf(rounds, (round) => evaluate(code, round));
	subjects[name] = [billing, details];
	report.bundles[name] = { ...size(Buffer.from(code)), start, accepts: details.map((detail) => "data" in billing(detail)) };
}
console.log(JSON.stringify(report));

for await (const line of lines) {
	const [name, count] = line.split(" ");
	const [run, inputs] = subjects[name];
	const begin = process.hrtime.bigint();
	for (let i = 0, at = 0; i < count; i++, at = at + 1 === inputs.length ? 0 : at + 1) run(inputs[at]);
	console.log(String(process.hrtime.bigint() - begin));
}

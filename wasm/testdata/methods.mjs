// Asks the core through its typed methods, in the order of the lines on standard input, each an operation and its input as
// JSON. A line of standard output is the answer as JSON. The argument is the folder with index.js and checkout.wasm.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const folder = pathToFileURL(process.argv[2] + "/");
const { Core } = await import(new URL("index.js", folder));
const core = await Core.load(readFileSync(new URL("checkout.wasm", folder)));

const methods = {
	billing: (detail) => core.billing(detail),
	email: ({ email }) => core.email(email),
	fields: ({ country, postcode }) => core.fields(country, postcode),
	place: (placement) => core.place(placement),
	quote: ({ billingDetail, ...sale }) => core.quote(sale, billingDetail),
	rates: ({ rates }) => core.rates(rates),
	taxid: ({ country, taxId }) => core.taxId(country, taxId),
	version: () => core.version(),
};

for await (const line of createInterface({ input: process.stdin })) {
	const [operation, input] = JSON.parse(line);
	console.log(JSON.stringify(methods[operation](input)));
	if (operation === "rates") core.rates("");
}

process.exitCode = 1;
try {
	core.call("alloc", "{}");
} catch {
	process.exitCode = 0; // an unknown operation throws
}

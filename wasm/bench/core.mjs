// Validates a billing detail with the module, through the loader of the npm package.
import { Core } from "../../web/src/core/core.ts";

// load instantiates the module from its bytes.
export async function load(module) {
	const core = await Core.load(module);
	return { billing: (typed) => core.billing(typed) };
}

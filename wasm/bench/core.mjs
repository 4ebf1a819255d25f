// The billing detail by the module, with the loader of the npm package.
import { Core } from "../../web/src/core/core.ts";

// load takes the module's bytes.
export async function load(module) {
	const core = await Core.load(module);
	return { billing: (typed) => core.billing(typed) };
}

// The store's own rules in the page: the module that decides at the server, so that the buyer hears it at once. If it fails the page
// goes on without it, because the server decides.

import { call, type Core, type Detail, type Discount, type Exports, type Problem } from "./core/core.ts";
import { data } from "./page.ts";

export interface Verdict {
	readonly errors: readonly Problem[]; // with the codes of the API
	readonly discount?: Discount | undefined;
}

interface Module extends Exports {
	readonly crepe_fuel: { value: bigint }; // what a call may use
}

let module: Module | null = null;

// loadRules loads the module, if the store's rules have one for the page, and calls loaded.
export async function loadRules(loaded: () => void): Promise<void> {
	if (!data.rules?.module) return;
	try {
		const { instance } = await WebAssembly.instantiateStreaming(fetch(data.rules.module, { priority: "low" }));
		const rules = instance.exports as unknown as Module;
		rules.crepe_fuel.value = BigInt(data.rules.fuel); // throws for a module without a meter
		rules._initialize?.();
		module = rules;
		loaded();
	} catch (error) {
		drop(error);
	}
}

// decide returns what the rules say of the order for a valid billing detail, or undefined if they are not here.
export function decide(core: Core, billingDetail: Detail, typed: string): Verdict | undefined {
	if (!module) return undefined;
	const address = core.email(typed);
	const buyerEmail = "data" in address && address.data.valid ? address.data.email : "";
	const { config, ...sale } = data.rules!.draft;
	const draft = JSON.stringify({ ...sale, buyerEmail, billingDetail, on: data.sale.on, config }); // as the server orders them
	try {
		const errors = ask<never>(module, "validate", draft).errors ?? [];
		const { discount } = ask<{ discount?: Discount }>(module, "adjust", draft).data ?? {};
		const heard = errors.slice(0, 10).filter(({ path }) => buyerEmail || path !== "/buyerEmail");
		return { errors: heard.map((problem) => ({ ...problem, code: `rule-${problem.code}` })), discount };
	} catch (error) {
		drop(error);
		return undefined;
	}
}

// ask calls a function of the module, if it has it, with all of its fuel.
function ask<T>(rules: Module, name: string, draft: string): { data?: T; errors?: Problem[] } {
	if (!(name in rules)) return {};
	rules.crepe_fuel.value = BigInt(data.rules!.fuel);
	return JSON.parse(call(rules, name, draft));
}

function drop(error: unknown): void {
	module = null;
	console.info("the page goes on without the store's rules:", error);
}

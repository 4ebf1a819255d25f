// The core in the browser: the same rules as the server's, as a WebAssembly module without imports. wasm/ABI.md says what
// its operations take and answer; the types here say it again.

export interface Billing {
	country: string;
	isBusiness: boolean;
	postcode?: string;
	state?: string;
	businessName?: string;
	taxId?: string;
}

export interface Problem {
	readonly kind: string;
	readonly code: string;
	readonly path?: string;
	readonly message: string;
}

export type Answer<T> = { readonly data: T } | { readonly errors: readonly Problem[] };

export interface Email {
	readonly email: string;
	readonly valid: boolean;
	readonly suggestion?: string; // what was probably meant
}

export interface Detail extends Billing {
	readonly taxIdChecked?: boolean;
}

// Sale is what is sold, by whom and when: all that a quote depends on besides the buyer. Amounts are strings in the
// currency's own decimals, so that nobody rounds them.
export interface Sale {
	readonly price: {
		readonly amount: string;
		readonly currency: string;
		readonly taxCategory: string;
		readonly taxIncluded: boolean;
	};
	readonly step: string;
	readonly seller: {
		readonly country: string;
		readonly everywhere: boolean;
		readonly registrations: readonly { readonly jurisdiction: string; readonly from: string }[];
	};
	readonly on: string;
	readonly rates?: string; // the operator's own, as the server writes them
}

export interface Quote {
	readonly currency: string;
	readonly subtotal: string;
	readonly tax: string;
	readonly total: string;
	readonly components: readonly {
		readonly jurisdiction: string;
		readonly tax: string; // "vat", "sales"
		readonly name: string;
		readonly rate: string;
		readonly base: string;
		readonly amount: string;
	}[];
	readonly reason: string;
}

// abi is the version of the module's promises that this file is written for.
const abi = 1;

// longest is the longest input that an operation reads, in bytes.
const longest = 65_536;

interface Exports {
	readonly memory: WebAssembly.Memory;
	_initialize(): void;
	crepe_abi(): number;
	alloc(size: number): number; // frees what the call before has left
	readonly [operation: string]: unknown;
}

export class Core {
	readonly #exports: Exports;

	private constructor(exports: Exports) {
		this.#exports = exports;
	}

	// load fetches the module, compiles it while it arrives where the browser can, and rejects if it is another than the
	// page was built with.
	static async load(url: string, integrity: string): Promise<Core> {
		const response = await fetch(url, { integrity, priority: "low" });
		const { instance } = await WebAssembly.instantiateStreaming(response.clone())
			.catch(async () => WebAssembly.instantiate(await response.arrayBuffer()));
		const exports = instance.exports as unknown as Exports;
		exports._initialize();
		if (exports.crepe_abi() !== abi) throw new Error("the module speaks another ABI");
		return new Core(exports);
	}

	email(email: string): Answer<Email> {
		return this.#ask("email", { email });
	}

	// stateOf is the state in which a postcode lies, "NY"; empty where the country has none or the postcode does not say.
	stateOf(country: string, postcode: string): string {
		const answer = this.#ask<{ readonly state?: string }>("fields", { country, postcode });
		return "data" in answer ? (answer.data.state ?? "") : "";
	}

	billing(detail: Billing): Answer<Detail> {
		return this.#ask("billing", detail);
	}

	quote(sale: Sale, billingDetail: Billing): Answer<Quote> {
		return this.#ask("quote", { ...sale, billingDetail });
	}

	#ask<T>(operation: string, input: unknown): Answer<T> {
		return JSON.parse(this.call(operation, JSON.stringify(input))) as Answer<T>;
	}

	// call runs an operation on a JSON text. It throws if the module traps; the core is not to be used any more then.
	call(operation: string, input: string): string {
		const { memory, alloc } = this.#exports;
		const run = this.#exports[operation] as (address: number, size: number) => bigint;
		const bytes = new TextEncoder().encode(input).subarray(0, longest + 1); // what is longer is refused, and need not go in
		const address = alloc(bytes.length);
		new Uint8Array(memory.buffer, address, bytes.length).set(bytes);
		const answer = BigInt.asUintN(64, run(address, bytes.length)); // address and size
		return new TextDecoder().decode(new Uint8Array(memory.buffer, Number(answer >> 32n), Number(answer & 0xffff_ffffn)));
	}
}

// The core in browsers and in Node: the same rules as the server's, as a WebAssembly module without imports. wasm/ABI.md says
// what its operations take and answer; the types here say it again, and the methods are those of wasm/host, for Go.

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

// Field is one field of the form for a billing detail.
export interface Field {
	readonly name: keyof Billing;
	readonly required: boolean;
	readonly business: boolean; // asked of businesses only
	readonly label: string; // names the words: "state" in one country, "province" in another
	readonly autocomplete?: string;
	readonly inputMode?: "numeric" | "text"; // absent for a choice
	readonly example?: string;
}

export interface Form {
	readonly fields: readonly Field[];
	readonly state?: string; // in which the postcode lies
}

export type TaxId =
	| { readonly valid: true; readonly taxId: string }
	| { readonly valid: false; readonly fault: "unsupported" | "format" | "check-digit" };

export interface Detail extends Billing {
	readonly taxIdChecked?: boolean;
}

// Terms are what is sold and by whom. Amounts are strings in the currency's own decimals, so that nobody rounds them.
export interface Terms {
	readonly price: {
		readonly amount: string;
		readonly currency: string;
		readonly taxCategory: string;
		readonly taxIncluded?: boolean;
	};
	readonly step?: string;
	readonly seller: {
		readonly country: string;
		readonly everywhere?: boolean;
		readonly registrations?: readonly { readonly jurisdiction: string; readonly from: string }[];
	};
}

// Sale is what a quote depends on besides the buyer.
export interface Sale extends Terms {
	readonly on: string;
	readonly ipCountry?: string;
	readonly rates?: string; // the operator's own, as the server writes them
}

export interface Quote {
	readonly currency: string;
	readonly subtotal: string;
	readonly tax: string;
	readonly total: string;
	readonly taxRate: string;
	readonly taxName?: string;
	readonly components: readonly {
		readonly jurisdiction: string;
		readonly tax: string; // "vat", "sales"
		readonly name: string;
		readonly rate: string;
		readonly base: string;
		readonly taxable: string;
		readonly amount: string;
	}[];
	readonly reason: string;
	readonly precision: string;
	readonly confidence?: string;
	readonly rules: readonly string[];
	readonly evidence: string;
	readonly on: string;
	readonly dataVersion: string;
}

// Placement is a create-order request with all that it is decided by. Instants are Unix milliseconds.
export interface Placement {
	readonly session?: Terms & {
		readonly id: string;
		readonly environment: string;
		readonly storeId: string;
		readonly productType: string;
		readonly expiresAt: number;
		readonly closed?: boolean;
		readonly billingDetail?: Billing;
		readonly buyerEmail?: string;
		readonly successUrl?: string;
	};
	readonly caller: {
		readonly environment: string;
		readonly storeId: string;
		readonly identity?: string;
		readonly sessionId?: string;
	};
	readonly request: {
		readonly checkoutSessionId?: string;
		readonly billingDetail?: Billing;
		readonly buyerEmail?: string;
		readonly buyerIp?: string;
		readonly successUrl?: string;
	};
	readonly ipCountry?: string;
	readonly now: number;
	readonly rates?: string;
}

export interface Order {
	readonly buyerEmail: string;
	readonly successUrl?: string;
	readonly billingDetail: Detail;
	readonly quote: Quote;
}

export interface Version {
	readonly module: string;
	readonly dataVersion: string;
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
	#exports: Exports | null; // null after a trap, which leaves the module in an unknown state

	private constructor(exports: Exports) {
		this.#exports = exports;
	}

	// load takes the module's bytes, or its URL to fetch it from: it compiles while it arrives, where that can be, and is
	// rejected if it is not the one that the integrity of the W3C names.
	static async load(module: string | URL | BufferSource, integrity = ""): Promise<Core> {
		const fetched = typeof module === "string" || module instanceof URL;
		const { instance } = await (fetched ? fetchModule(module, integrity) : WebAssembly.instantiate(module));
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
		const answer = this.fields(country, postcode);
		return "data" in answer ? (answer.data.state ?? "") : "";
	}

	billing(detail: Billing): Answer<Detail> {
		return this.#ask("billing", detail);
	}

	fields(country: string, postcode = ""): Answer<Form> {
		return this.#ask("fields", { country, postcode });
	}

	taxId(country: string, taxId: string): Answer<TaxId> {
		return this.#ask("taxid", { country, taxId });
	}

	place(placement: Placement): Answer<Order> {
		return this.#ask("place", placement);
	}

	// rates makes all quotes and orders that come without rates have these; none takes them away again.
	rates(rates: string): Answer<Version> {
		return this.#ask("rates", { rates });
	}

	version(): Answer<Version> {
		return this.#ask("version", {});
	}

	quote(sale: Sale, billingDetail: Billing): Answer<Quote> {
		return this.#ask("quote", { ...sale, billingDetail });
	}

	#ask<T>(operation: string, input: unknown): Answer<T> {
		return JSON.parse(this.call(operation, JSON.stringify(input))) as Answer<T>;
	}

	// call runs an operation on a JSON text. It throws if the module traps, and from then on.
	call(operation: string, input: string): string {
		const exports = this.#exports;
		if (!exports) throw new Error("the module has trapped before");
		if (!(operation in exports)) throw new Error(`there is no operation ${operation}`);
		this.#exports = null;
		const answer = call(exports, operation, input);
		this.#exports = exports;
		return answer;
	}
}

async function fetchModule(url: string | URL, integrity: string): Promise<WebAssembly.WebAssemblyInstantiatedSource> {
	const response = await fetch(url, { integrity, priority: "low" });
	return WebAssembly.instantiateStreaming(response.clone())
		.catch(async () => WebAssembly.instantiate(await response.arrayBuffer()));
}

function call(exports: Exports, operation: string, input: string): string {
	const { memory, alloc } = exports;
	const run = exports[operation] as (address: number, size: number) => bigint;
	const bytes = new TextEncoder().encode(input).subarray(0, longest + 1); // what is longer is refused, and need not go in
	const address = alloc(bytes.length);
	new Uint8Array(memory.buffer, address, bytes.length).set(bytes);
	const answer = BigInt.asUintN(64, run(address, bytes.length)); // address and size
	return new TextDecoder().decode(new Uint8Array(memory.buffer, Number(answer >> 32n), Number(answer & 0xffff_ffffn)));
}

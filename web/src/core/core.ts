// The core in browsers and in Node: the server's validation and tax rules as a WebAssembly module without imports. wasm/ABI.md
// documents the operations. The methods are those of wasm/host, for Go.

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
	readonly suggestion?: string; // the address without a likely typing error
}

// Field is one field of the form for a billing detail.
export interface Field {
	readonly name: keyof Billing;
	readonly required: boolean;
	readonly business: boolean; // shown to businesses only
	readonly label: string; // key of the label: "state" in one country, "province" in another
	readonly autocomplete?: string;
	readonly inputMode?: "numeric" | "text"; // absent for a choice
	readonly example?: string;
}

export interface Form {
	readonly fields: readonly Field[];
	readonly state?: string; // of the postcode
	readonly postcodeUnusual?: true; // it has another format than the country's; a reason to look again, not to refuse it
}

export type TaxId =
	| { readonly valid: true; readonly taxId: string }
	| { readonly valid: false; readonly fault: "unsupported" | "format" | "check-digit" };

export interface Detail extends Billing {
	readonly taxIdChecked?: boolean;
}

// Terms are price and seller. Amounts are strings with the currency's decimals, so that they are never rounded.
export interface Terms {
	readonly price: Price;
	readonly step?: string;
	readonly seller: Seller;
}

export interface Price {
	readonly amount: string;
	readonly currency: string;
	readonly taxCategory: string;
	readonly taxIncluded?: boolean;
}

export interface Seller {
	readonly country: string;
	readonly everywhere?: boolean;
	readonly registrations?: readonly Registration[];
}

export interface Registration {
	readonly jurisdiction: string;
	readonly from: string;
}

// Sale is the input of a quote besides the buyer.
export interface Sale extends Terms {
	readonly on: string;
	readonly ipCountry?: string;
	readonly rates?: string; // the operator's own, in the server's text format
	readonly discount?: Discount;
}

// Discount is what is taken off the price, with its label for the buyer.
export interface Discount {
	readonly label: string;
	readonly amount: string;
}

// Quote is the Quote of wasm/ops/wire.go. The API's quote has the same members and more.
export interface Quote {
	readonly currency: string;
	readonly listPrice?: string; // before the discount, as the product states it; absent without one
	readonly discount?: Discount;
	readonly subtotal: string;
	readonly taxAmount: string;
	readonly total: string;
	readonly ratePercent: number;
	readonly taxName: string; // "" without tax
	readonly components: readonly Component[];
	readonly reason: string;
	readonly precision: string;
	readonly confidence?: string;
	readonly rules: readonly string[];
	readonly evidence: string;
	readonly on: string;
	readonly dataVersion: string;
}

export interface Component {
	readonly jurisdiction: string;
	readonly tax: string; // "vat", "sales"
	readonly name: string;
	readonly ratePercent: number;
	readonly basePercent: number;
	readonly taxable: string;
	readonly amount: string;
}

// Placement is a create-order request with everything that decides it. Times are Unix milliseconds.
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
	readonly discount?: Discount;
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

// abi is the module's ABI version that this file supports.
const abi = 1;

// longest is the maximum input of an operation, in bytes.
const longest = 65_536;

export interface Exports {
	readonly memory: WebAssembly.Memory;
	_initialize(): void;
	crepe_abi(): number;
	alloc(size: number): number; // frees the previous call's memory
	readonly [operation: string]: unknown;
}

export class Core {
	#exports: Exports | null; // null after a trap, which leaves the module in an unknown state

	private constructor(exports: Exports) {
		this.#exports = exports;
	}

	// load instantiates the module from its bytes or its URL, compiling while it downloads if possible. It rejects if the content
	// does not match integrity (W3C Subresource Integrity).
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

	// stateOf returns the state of a postcode, "NY", or "" if there is none or it is ambiguous.
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

	// rates sets the rates of quotes and orders that have none of their own; "" removes them.
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

	// call runs an operation on a JSON text. After a trap it throws, and so does every later call.
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

// call runs a function of a module that follows wasm/ABI.md on a JSON text.
export function call(exports: Exports, operation: string, input: string): string {
	const { memory, alloc } = exports;
	const run = exports[operation] as (address: number, size: number) => bigint;
	const bytes = new TextEncoder().encode(input).subarray(0, longest + 1); // one byte too many is enough to be refused
	const address = alloc(bytes.length);
	new Uint8Array(memory.buffer, address, bytes.length).set(bytes);
	const answer = BigInt.asUintN(64, run(address, bytes.length)); // address and size
	return new TextDecoder().decode(new Uint8Array(memory.buffer, Number(answer >> 32n), Number(answer & 0xffff_ffffn)));
}

// The client for pages of a merchant's own. Nothing is imported, so that one file is the whole of it; what is public has its
// comments in the form that editors show.

declare global {
	interface Window {
		/** Where the published example finds the session token: the merchant's page puts it there. */
		WAFFO_SESSION_TOKEN: string;
	}
}

export interface WaffoPancakeConfig {
	/**
	 * The buyer's session token, or a function that gets one. The function is called for every attempt, so a token that has
	 * ended meanwhile is no obstacle; what it throws is passed on, and not retried.
	 */
	readonly sessionToken: string | (() => string | Promise<string>);
	/** The environment of the token and of the checkout session. */
	readonly environment: "test" | "prod";
	/** Where the checkout server is, "https://pay.example.com". Without it: the page's own origin. */
	readonly baseUrl?: string | undefined;
	/** Used in place of the global fetch. */
	readonly fetch?: typeof globalThis.fetch | undefined;
}

export interface BillingDetail {
	/** ISO 3166-1 alpha-2, "US". */
	readonly country: string;
	readonly isBusiness: boolean;
	readonly postcode?: string | undefined;
	/** Required for US and CA. */
	readonly state?: string | undefined;
	/** Required for a business. */
	readonly businessName?: string | undefined;
	/** The VAT number, required for a business in the EU. */
	readonly taxId?: string | undefined;
}

export interface CreateOnetimeOrderParams {
	/** "cs_…", from create-session. */
	readonly checkoutSessionId: string;
	/** Required unless the session holds it. */
	readonly billingDetail?: BillingDetail | undefined;
	/** Required unless the session holds it; ignored when the token carries the buyer's address. */
	readonly buyerEmail?: string | undefined;
	readonly buyerIp?: string | undefined;
	/** Where the buyer goes after paying, in place of the session's. */
	readonly successUrl?: string | undefined;
}

export interface CreateOnetimeOrderResult {
	/** The payment provider's page: send the buyer there. */
	readonly checkoutUrl: string;
}

export interface CallOptions {
	/** Names this call to the server, which carries it out once. Made by the client if left out; at most 256 of [A-Za-z0-9_-]. */
	readonly idempotencyKey?: string | undefined;
	/** Stops the request, or the wait between two. The promise then rejects with the signal's reason. */
	readonly signal?: AbortSignal | undefined;
	/** How long one attempt may take, in milliseconds; 30,000 if left out. */
	readonly timeoutMs?: number | undefined;
	/** How often to try again after a failure, 0 to 3; 3 if left out. */
	readonly maxRetries?: number | undefined;
	/** Told before each wait. */
	readonly onRetry?: ((retry: Retry) => void) | undefined;
}

export interface Retry {
	/** Which retry follows the wait, from 1. */
	readonly attempt: number;
	readonly maxRetries: number;
	/** How long the wait is, in milliseconds. */
	readonly delayMs: number;
	/** Why the attempt before failed. */
	readonly error: WaffoPancakeError;
}

/** One entry of an error answer. */
export interface ApiError {
	/** A sentence of the published contract, in English. */
	readonly message: string;
	/** The part of the platform that refused; "client" for what never reached it. */
	readonly layer: string;
	/** What is wrong, for programs. */
	readonly code?: ErrorCode;
	/** The member of the request that is wrong, as a JSON pointer: "/billingDetail/state". */
	readonly path?: string;
}

/** Codes of create-order, and the client's own: "network", "timeout", and "unknown" for an answer without a code. */
export type ErrorCode =
	| "authentication-failed"
	| "billing-detail-required"
	| "business-name-invalid"
	| "business-name-required"
	| "buyer-email-invalid"
	| "buyer-email-required"
	| "buyer-ip-invalid"
	| "checkout-session-id-required"
	| "country-invalid"
	| "country-required"
	| "currency-unsupported"
	| "environment-header-invalid"
	| "environment-mismatch"
	| "idempotency-key-in-use"
	| "idempotency-key-invalid"
	| "idempotency-key-reused"
	| "internal"
	| "invalid-json"
	| "is-business-required"
	| "network"
	| "order-unpayable"
	| "postcode-invalid"
	| "product-type-mismatch"
	| "provider-missing"
	| "session-invalid"
	| "session-wrong-store"
	| "state-invalid"
	| "state-required"
	| "success-url-invalid"
	| "tax-id-invalid"
	| "tax-id-required"
	| "timeout"
	| "too-busy"
	| "too-many-requests"
	| "total-invalid"
	| "unknown"
	| (string & {});

/** Why a call failed: a refusal of the server, or no answer from it. */
export class WaffoPancakeError extends Error {
	override readonly name = "WaffoPancakeError";
	/** The HTTP status; 0 if no whole answer arrived: the order may exist all the same, and to call again is safe. */
	readonly status: number;
	/** What is wrong, the root cause first. Never empty. */
	readonly errors: readonly ApiError[];
	/** How long the server asks to wait, in milliseconds; 0 if it does not. */
	readonly retryAfterMs: number;

	constructor(status: number, errors: readonly ApiError[], retryAfterMs = 0, cause?: unknown) {
		super(errors[0]?.message, { cause });
		this.status = status;
		this.errors = errors;
		this.retryAfterMs = retryAfterMs;
	}

	/** The code of the root cause. */
	get code(): ErrorCode {
		return this.errors[0]?.code ?? "unknown";
	}

	/** Whether the same call may succeed later: nobody answered, or the server failed. A refusal stays one. */
	get retryable(): boolean {
		return this.status === 0 || this.status >= 500;
	}
}

// The published retry policy: from five seconds, doubling, at most three times. Jitter only ever makes a wait longer.
const firstDelay = 5_000;
const mostRetries = 3;
const jitter = 0.2;

const patience = 30_000;
const longestTimer = 2 ** 31 - 1; // setTimeout takes what is longer for nothing

export class WaffoPancake {
	readonly #config: WaffoPancakeConfig;

	constructor(config: WaffoPancakeConfig) {
		this.#config = config;
	}

	readonly orders = {
		/**
		 * Places the order of a checkout session and answers where the buyer pays. Failures of the server and of the network
		 * are retried as {@link CallOptions} says, refusals never. Rejects with a {@link WaffoPancakeError}.
		 */
		createOnetime: (params: CreateOnetimeOrderParams, options: CallOptions = {}): Promise<CreateOnetimeOrderResult> =>
			this.#call("onetime-order/create-order", params, options),
	};

	async #call<T>(action: string, params: unknown, options: CallOptions): Promise<T> {
		const { idempotencyKey = newKey(), signal, timeoutMs = patience, onRetry } = options;
		const maxRetries = Math.min(options.maxRetries ?? mostRetries, mostRetries);
		const body = JSON.stringify(params);
		for (let attempt = 1; ; attempt++) {
			try {
				const data = await within(timeoutMs, signal, (over) => this.#send<T>(action, body, idempotencyKey, over));
				if (data) return data;
				throw failure("timeout", `No answer within ${timeoutMs} ms`);
			} catch (error) {
				if (!(error instanceof WaffoPancakeError) || !error.retryable || attempt > maxRetries) throw error;
				const delay = firstDelay * 2 ** (attempt - 1) * (1 + jitter * Math.random());
				const delayMs = Math.min(Math.max(delay, error.retryAfterMs), longestTimer);
				onRetry?.({ attempt, maxRetries, delayMs, error });
				await within(delayMs, signal);
			}
		}
	}

	// send is one attempt.
	async #send<T>(action: string, body: string, key: string, signal: AbortSignal): Promise<T> {
		const { sessionToken, environment, baseUrl = "", fetch: send = fetch } = this.#config;
		const token = typeof sessionToken === "function" ? await sessionToken() : sessionToken;
		let response: Response | undefined;
		let answer: { data?: T; errors?: ApiError[] } | null | undefined;
		try {
			response = await send(`${baseUrl.replace(/\/$/, "")}/v1/actions/${action}`, {
				method: "POST",
				headers: {
					Authorization: `Bearer ${token}`,
					"Content-Type": "application/json",
					"X-Environment": environment,
					"X-Idempotency-Key": key,
				},
				body,
				credentials: "omit",
				signal,
			});
			answer = await response.json();
		} catch (cause) {
			if (!response || response.ok) throw failure("network", "No answer from the server", cause);
		}
		const { ok, status, headers } = response;
		if (ok && answer?.data) return answer.data;
		const errors = answer?.errors?.length ? answer.errors : [{ message: `HTTP ${status}`, layer: "client" }];
		throw new WaffoPancakeError(status, errors, status === 503 ? Number(headers.get("Retry-After")) * 1000 || 0 : 0);
	}
}

function failure(code: ErrorCode, message: string, cause?: unknown): WaffoPancakeError {
	return new WaffoPancakeError(0, [{ message, layer: "client", code }], 0, cause);
}

// newKey is 128 random bits. crypto.randomUUID would do the same, but not on a page that came over plain http.
function newKey(): string {
	return crypto.getRandomValues(new Uint32Array(4)).join("-");
}

// within gives work some time. It answers what work does, or nothing when the time is over, and rejects with the signal's
// reason when that aborts. In any case work's own signal aborts in the end, and no timer or listener is left.
async function within<T>(
	ms: number, signal: AbortSignal | undefined, work?: (over: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
	const over = new AbortController();
	try {
		return await new Promise<T | undefined>((resolve, reject) => {
			signal?.throwIfAborted();
			const timer = setTimeout(resolve, ms);
			over.signal.addEventListener("abort", () => clearTimeout(timer));
			signal?.addEventListener("abort", () => reject(signal.reason), { signal: over.signal });
			work?.(over.signal).then(resolve, reject);
		});
	} finally {
		over.abort();
	}
}

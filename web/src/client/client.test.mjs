// Tests of the client with a scripted fetch and a mock clock. CLIENT is the path of the built script.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { pathToFileURL } from "node:url";

const { WaffoPancake, WaffoPancakeError } = await import(pathToFileURL(process.env.CLIENT));

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

const order = { checkoutSessionId: "cs_1", buyerEmail: "ada@example.com", billingDetail: { country: "DE", isBusiness: false } };
const paid = { data: { checkoutUrl: "https://pay.example.com/1" } };
const refusal = (code, message = code) => ({ data: null, errors: [{ message, layer: "order", code }] });

// answers returns a fetch with a sequence of responses: a status with a body and headers, or an error to reject with. "hang" rejects
// when its signal aborts.
function answers(...script) {
	const calls = [];
	const fetch = async (url, init) => {
		calls.push({ url, ...init });
		const answer = script[calls.length - 1];
		if (answer === "hang") return new Promise((_, reject) => init.signal.addEventListener("abort", () => reject(init.signal.reason)));
		if (answer instanceof Error) throw answer;
		const [status, body, headers] = answer;
		return new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers });
	};
	return { calls, fetch };
}

const client = (fetch, more) => new WaffoPancake({
	sessionToken: "token-1", environment: "test", baseUrl: "https://pay.example.com", fetch, ...more,
});

// idle waits for pending promises.
const idle = () => new Promise((resolve) => setImmediate(resolve));

// watch records the outcome of a promise without awaiting it.
function watch(promise) {
	const seen = { state: "pending" };
	promise.then(
		(value) => Object.assign(seen, { state: "fulfilled", value }),
		(error) => Object.assign(seen, { state: "rejected", error }),
	);
	return seen;
}

test("one request, as in the contract", async () => {
	const { calls, fetch } = answers([200, paid]);
	const result = await client(fetch).orders.createOnetime(order);
	assert.deepEqual(result, { checkoutUrl: "https://pay.example.com/1" });
	const [{ url, method, headers, body, credentials }] = calls;
	assert.equal(url, "https://pay.example.com/v1/actions/onetime-order/create-order");
	assert.equal(method, "POST");
	assert.equal(credentials, "omit");
	assert.deepEqual(JSON.parse(body), order);
	const { "X-Idempotency-Key": key, ...rest } = headers;
	assert.deepEqual(rest, { Authorization: "Bearer token-1", "Content-Type": "application/json", "X-Environment": "test" });
	assert.match(key, /^[A-Za-z0-9_-]{10,256}$/);
});

test("baseUrl defaults to the page's origin and may end in a slash", async () => {
	for (const [baseUrl, want] of [
		["", "/v1/actions/onetime-order/create-order"],
		["https://shop.example.com/pay/", "https://shop.example.com/pay/v1/actions/onetime-order/create-order"],
	]) {
		const { calls, fetch } = answers([200, paid]);
		await client(fetch, { baseUrl }).orders.createOnetime(order);
		assert.equal(calls[0].url, want);
	}
});

test("a failing server gets three retries, after 5, 10 and 20 seconds and up to 20 % more", async () => {
	for (const [chance, factor] of [[0, 1], [0.5, 1.1], [0.999999, 1.2]]) {
		mock.method(Math, "random", () => chance);
		const { calls, fetch } = answers([500, refusal("internal")], [502, "<h1>Bad Gateway</h1>"], new TypeError("lost"), [503, refusal("busy")]);
		const waits = [];
		const seen = watch(client(fetch).orders.createOnetime(order, { onRetry: (retry) => waits.push(retry) }));
		for (const [i, seconds] of [5, 10, 20].entries()) {
			await idle();
			const { attempt, maxRetries, delayMs, error } = waits[i];
			assert.deepEqual([attempt, maxRetries, waits.length], [i + 1, 3, i + 1]);
			assert.ok(delayMs >= seconds * 1000 && Math.abs(delayMs - seconds * 1000 * factor) < 1, `${delayMs} ms`);
			assert.equal(error.retryable, true);
			mock.timers.tick(Math.ceil(delayMs) - 1);
			await idle();
			assert.equal(calls.length, i + 1, "too early");
			mock.timers.tick(1);
		}
		await idle();
		assert.equal(calls.length, 4);
		assert.equal(seen.error.status, 503);
		mock.restoreAll();
		mock.timers.reset();
		mock.timers.enable({ apis: ["setTimeout"] });
	}
});

test("a retry sends the same key and the same body, and the next call another key", async () => {
	const { calls, fetch } = answers([500, refusal("internal")], new TypeError("lost"), [200, paid], [200, paid]);
	const mine = structuredClone(order);
	const buy = client(fetch).orders.createOnetime;
	const seen = watch(buy(mine));
	mine.buyerEmail = "eve@example.com";
	for (let i = 0; i < 2; i++) {
		await idle();
		mock.timers.tick(24_000);
	}
	await idle();
	assert.equal(seen.state, "fulfilled");
	await buy(order);
	const keys = calls.map((call) => call.headers["X-Idempotency-Key"]);
	assert.equal(new Set(keys.slice(0, 3)).size, 1);
	assert.notEqual(keys[3], keys[0]);
	assert.equal(new Set(calls.slice(0, 3).map((call) => call.body)).size, 1);
});

test("the caller's key is used unchanged", async () => {
	const { calls, fetch } = answers([200, paid]);
	await client(fetch).orders.createOnetime(order, { idempotencyKey: "order-17" });
	assert.equal(calls[0].headers["X-Idempotency-Key"], "order-17");
});

test("a 4xx is not retried", async () => {
	for (const status of [400, 401, 403, 404, 408, 409, 413, 415, 425, 429]) {
		const { calls, fetch } = answers([status, refusal("session-invalid", "Sentence"), { "Retry-After": "1" }]);
		const error = await client(fetch).orders.createOnetime(order).catch((error) => error);
		assert.ok(error instanceof WaffoPancakeError && error instanceof Error);
		assert.equal(error.name, "WaffoPancakeError");
		assert.equal(error.message, "Sentence");
		assert.equal(error.status, status);
		assert.equal(error.code, "session-invalid");
		assert.deepEqual(error.errors, refusal("session-invalid", "Sentence").errors);
		assert.equal(error.retryable, false);
		assert.equal(calls.length, 1);
	}
});

test("every error has errors[0] and a code, for any response", async () => {
	const page = "<html>";
	for (const [answer, status, code, message] of [
		[[400, { data: null, errors: [{ message: "Old", layer: "order" }] }], 400, "unknown", "Old"],
		[[403, page], 403, "unknown", "HTTP 403"],
		[[500, page], 500, "unknown", "HTTP 500"],
		[[400, "null"], 400, "unknown", "HTTP 400"],
		[[400, { errors: [] }], 400, "unknown", "HTTP 400"],
		[[200, {}], 200, "unknown", "HTTP 200"],
		[[200, page], 0, "network", "No answer from the server"],
		[new TypeError("Failed to fetch"), 0, "network", "No answer from the server"],
	]) {
		const { fetch } = answers(answer);
		const error = await client(fetch).orders.createOnetime(order, { maxRetries: 0 }).catch((error) => error);
		assert.deepEqual([error.status, error.code, error.message, error.errors[0].message], [status, code, message, message]);
		if (answer instanceof Error) assert.equal(error.cause, answer);
	}
});

test("a 503's Retry-After lengthens the wait, and never shortens it", async () => {
	mock.method(Math, "random", () => 0);
	for (const [status, header, want] of [
		[503, "30", 30_000], [503, "2", 5_000], [503, "soon", 5_000], [503, "-9", 5_000], [503, "99999999999", 2 ** 31 - 1],
		[500, "30", 5_000], [502, "30", 5_000],
	]) {
		const { fetch } = answers([status, refusal("busy"), { "Retry-After": header }]);
		const stop = new AbortController();
		const waits = [];
		watch(client(fetch).orders.createOnetime(order, { signal: stop.signal, onRetry: ({ delayMs }) => waits.push(delayMs) }));
		await idle();
		assert.deepEqual(waits, [want], `${status} ${header}`);
		stop.abort();
	}
	mock.restoreAll();
});

test("maxRetries lowers the number of retries, and cannot raise it", async () => {
	for (const [maxRetries, want] of [[0, 1], [1, 2], [3, 4], [9, 4]]) {
		const { calls, fetch } = answers(...Array(9).fill([500, refusal("internal")]));
		const seen = watch(client(fetch).orders.createOnetime(order, { maxRetries }));
		for (let i = 0; i < 9; i++) {
			await idle();
			mock.timers.tick(60_000);
		}
		await idle();
		assert.equal(calls.length, want);
		assert.equal(seen.error.code, "internal");
	}
});

test("an abort stops a running request and rejects with its reason", async () => {
	const { calls, fetch } = answers("hang", [200, paid]);
	const stop = new AbortController();
	const seen = watch(client(fetch).orders.createOnetime(order, { signal: stop.signal }));
	await idle();
	stop.abort("enough");
	await idle();
	assert.deepEqual([seen.state, seen.error, calls[0].signal.aborted], ["rejected", "enough", true]);
	mock.timers.tick(100_000);
	await idle();
	assert.equal(calls.length, 1);
});

test("an abort stops the wait, also from within onRetry", async () => {
	for (const within of [true, false]) {
		const { calls, fetch } = answers([500, refusal("internal")], [200, paid]);
		const stop = new AbortController();
		const seen = watch(client(fetch).orders.createOnetime(order, {
			signal: stop.signal,
			onRetry: () => within && stop.abort(),
		}));
		await idle();
		stop.abort();
		await idle();
		assert.deepEqual([seen.state, seen.error?.name], ["rejected", "AbortError"]);
		mock.timers.tick(100_000);
		await idle();
		assert.equal(calls.length, 1);
	}
});

test("an abort before the call or while waiting for a token sends nothing", async () => {
	const { calls, fetch } = answers([200, paid]);
	const over = watch(client(fetch).orders.createOnetime(order, { signal: AbortSignal.abort("over") }));
	const stop = new AbortController();
	const waiting = watch(client(fetch, { sessionToken: () => new Promise(() => {}) }).orders.createOnetime(order, { signal: stop.signal }));
	await idle();
	stop.abort("over");
	await idle();
	assert.deepEqual([over.error, waiting.error, calls.length], ["over", "over", 0]);
});

test("an attempt that times out is retried", async () => {
	const { calls, fetch } = answers("hang", [200, paid]);
	const waits = [];
	const seen = watch(client(fetch).orders.createOnetime(order, { timeoutMs: 2_000, onRetry: (retry) => waits.push(retry) }));
	await idle();
	mock.timers.tick(1_999);
	await idle();
	assert.equal(calls[0].signal.aborted, false);
	mock.timers.tick(1);
	await idle();
	assert.equal(calls[0].signal.aborted, true);
	assert.deepEqual([waits[0].error.status, waits[0].error.code], [0, "timeout"]);
	mock.timers.tick(6_000);
	await idle();
	assert.equal(seen.state, "fulfilled");
});

test("a token function is called before every attempt, and its errors are passed on", async () => {
	const { calls, fetch } = answers([500, refusal("internal")], [200, paid]);
	let count = 0;
	const seen = watch(client(fetch, { sessionToken: async () => `token-${++count}` }).orders.createOnetime(order));
	await idle();
	mock.timers.tick(6_000);
	await idle();
	assert.equal(seen.state, "fulfilled");
	assert.deepEqual(calls.map((call) => call.headers.Authorization), ["Bearer token-1", "Bearer token-2"]);
	const mine = new TypeError("my endpoint is down");
	await assert.rejects(client(fetch, { sessionToken: () => { throw mine; } }).orders.createOnetime(order), (error) => error === mine);
	assert.equal(calls.length, 2);
});

test("no timer or listener is left", async () => {
	let pending = 0;
	const { setTimeout: set, clearTimeout: clear } = globalThis;
	const open = new Set();
	globalThis.setTimeout = (...args) => {
		const id = set(...args);
		open.add(id);
		return id;
	};
	globalThis.clearTimeout = (id) => {
		open.delete(id);
		clear(id);
	};
	const { signal } = new AbortController();
	const add = signal.addEventListener.bind(signal);
	signal.addEventListener = (type, listener, options) => {
		pending++;
		options.signal.addEventListener("abort", () => pending--);
		add(type, listener, options);
	};
	const { fetch } = answers([200, paid], [400, refusal("internal")]);
	await client(fetch).orders.createOnetime(order, { signal });
	await client(fetch).orders.createOnetime(order, { signal }).catch(() => {});
	Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
	assert.deepEqual([pending, open.size], [0, 0]);
});

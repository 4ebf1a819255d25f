// The client on a merchant's page in Chromium, against a running `crepe dev` that lists one of two origins.
//
//   DEV_JSON, LISTED and UNLISTED (addresses to serve the pages at), PACKAGES (the folder of `make client`), EXAMPLE (the
//   published example)

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { browser, dev, newSession, newToken, Visit } from "./shop.mjs";

const { LISTED, UNLISTED, PACKAGES, EXAMPLE } = process.env;
const served = `${dev.baseUrl}/v1/client.js`;
const example = readFileSync(EXAMPLE, "utf8");

const modules = "/node_modules/@crepe-checkout/";
const types = { js: "text/javascript", wasm: "application/wasm" };

// merchant is a merchant's web server: a page, the npm packages as static files, and a proxy for /v1/.
const merchant = createServer(async (request, response) => {
	if (request.url.startsWith(modules)) {
		response.setHeader("Content-Type", types[request.url.split(".").pop()]);
		response.end(readFileSync(join(PACKAGES, request.url.slice(modules.length))));
	} else if (request.url.startsWith("/v1/")) {
		const { host, connection, ...headers } = request.headers;
		const answer = await fetch(dev.baseUrl + request.url, { method: request.method, headers, body: request, duplex: "half" });
		response.writeHead(answer.status, { "Content-Type": answer.headers.get("Content-Type") }).end(await answer.text());
	} else {
		response.setHeader("Content-Type", "text/html").end(page);
	}
});
let page = "";

const open = (address) => new Promise((resolve) => {
	const [host, port] = address.split(":");
	const server = createServer((request, response) => merchant.emit("request", request, response));
	server.listen(Number(port), host, () => resolve(server));
});
const servers = [];

before(async () => servers.push(await open(LISTED), await open(UNLISTED)));
after(async () => {
	await browser.close();
	for (const server of servers) server.close();
});

// run opens the merchant's page at an address with a token and a module, and returns the first line that the module logs.
async function run(address, token, module) {
	page = `<!doctype html><title>Shop</title><script>window.WAFFO_SESSION_TOKEN = ${JSON.stringify(token)}</script>
<script type="module">${module}</script>`;
	const visit = await Visit.open("about:blank");
	const line = visit.page.waitForEvent("console", (message) => message.type() === "log");
	await visit.page.goto(`http://${address}/`);
	const [value] = (await line).args();
	const logged = await value.jsonValue();
	const complaints = visit.complaints;
	await visit.close();
	return { logged, complaints };
}

// report returns a module that orders with the client and logs the result.
const report = (order, client = "") => `
import { WaffoPancake, WaffoPancakeError } from "${served}";
const client = new WaffoPancake({ sessionToken: window.WAFFO_SESSION_TOKEN, environment: "test", ${client} });
await client.orders.createOnetime(${JSON.stringify(order)}, { maxRetries: 0 }).then(
	(result) => console.log(JSON.stringify(result)),
	(error) => console.log(JSON.stringify({ ours: error instanceof WaffoPancakeError, ...error, code: error.code })),
);`;

const order = (session) => ({
	checkoutSessionId: session.sessionId, buyerEmail: "ada@example.com", billingDetail: { country: "DE", isBusiness: false },
});

test("the published example runs as written, from another origin and from the npm package", async () => {
	const token = await newToken("user-17", "prod");
	const urls = [];
	for (const path of [served, `${modules}client/index.js`]) {
		const { logged, complaints } = await run(LISTED, token, example.replace('"@waffo/pancake-ts"', JSON.stringify(path)));
		assert.deepEqual(complaints, []);
		urls.push(logged);
	}
	assert.match(urls[0], new RegExp(`^${dev.baseUrl}/sandbox/prod/`));
	assert.equal(urls[1], urls[0]);
	const visit = await Visit.open(urls[0]);
	assert.match(await visit.page.innerText("body"), /Crêpe Starter Kit/);
	await visit.close();
});

test("a page of a listed origin orders, and can read errors", async () => {
	const { logged } = await run(LISTED, await newToken("user-18"), report(order(await newSession())));
	assert.match(JSON.parse(logged).checkoutUrl, new RegExp(`^${dev.baseUrl}/sandbox/`));

	const damaged = JSON.parse((await run(LISTED, "no-token", report(order(await newSession())))).logged);
	assert.deepEqual([damaged.ours, damaged.status, damaged.code], [true, 401, "authentication-failed"]);

	const refused = { ...order(await newSession()), billingDetail: { country: "US", isBusiness: false } };
	const { status, errors } = JSON.parse((await run(LISTED, await newToken("user-19"), report(refused))).logged);
	assert.deepEqual([status, errors], [400, [
		{ message: "State is required for US/CA", layer: "order", code: "state-required", path: "/billingDetail/state" },
	]]);
});

test("CORS refuses a page of an unlisted origin, and there is no order", async () => {
	const session = await newSession();
	const { logged, complaints } = await run(UNLISTED, await newToken("user-20"), report(order(session)));
	const { status, code } = JSON.parse(logged);
	assert.deepEqual([status, code], [0, "network"]);
	assert.ok(complaints.some((line) => /blocked by CORS policy/.test(line)), complaints.join("\n"));

	// Through the page's own server, CORS does not apply.
	const own = await run(UNLISTED, await newToken("user-20"), report(order(session), 'baseUrl: location.origin'));
	assert.match(JSON.parse(own.logged).checkoutUrl, new RegExp(`^${dev.baseUrl}/sandbox/`));
});

test("the example of the core's README", async () => {
	const [, module] = /```js\n(.*?)```/s.exec(readFileSync(join(PACKAGES, "core", "README.md"), "utf8"));
	const { logged, complaints } = await run(LISTED, "", module);
	assert.deepEqual([logged.taxId, logged.taxIdChecked, complaints], ["DE136695976", true, []]);
});

// Creating the order, against a running `crepe dev`: failures, retries and repeated clicks give one order, and every failure has a
// message. The ids are those of the page's requirements, which edge/page lists.
//
//   DEV_JSON=.crepe/dev.json node web/e2e/order.mjs

import assert from "node:assert/strict";
import { once } from "node:events";
import http, { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { after, test } from "node:test";
import {
	browser, completed, createOrder, dev, fill, newMerchantSession, newSession, newToken, pay, sandbox, submit, Visit,
} from "./shop.mjs";

after(() => browser.close());

const paying = (page) => page.waitForURL((url) => url.href.startsWith(sandbox));

// failing makes create-order fail a number of times, and records the idempotency key of every call.
async function failing(page, times, answer = (route) => route.fulfill({ status: 503, json: { data: null, errors: [{ message: "busy", layer: "order" }] } })) {
	const keys = [];
	await page.route(`**/${createOrder}`, (route) => {
		keys.push(route.request().headers()["x-idempotency-key"]);
		return keys.length <= times ? answer(route) : route.continue();
	});
	return keys;
}

// cutter is an HTTP proxy that loses responses: while proxy.cuts is set, it reads the server's whole response to create-order and
// then closes the browser's connection. It records the lost checkout URLs.
async function cutter() {
	const lost = [];
	const server = createServer((request, response) => {
		const onward = http.request(request.url, { method: request.method, headers: request.headers, agent: false }, async (answer) => {
			if (!proxy.cuts || !request.url.endsWith(createOrder)) {
				response.writeHead(answer.statusCode, answer.rawHeaders);
				answer.pipe(response);
				return;
			}
			assert.equal(answer.statusCode, 200);
			lost.push((await json(answer)).data.checkoutUrl);
			request.socket.destroy();
		});
		request.pipe(onward);
	}).listen(0, "127.0.0.1");
	await once(server, "listening");
	const proxy = { cuts: true, lost, server: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
	return proxy;
}

// filled opens a form that is complete.
async function filled(options = {}) {
	const session = await newSession();
	const context = await browser.newContext(options);
	const visit = new Visit(context, await context.newPage());
	await visit.page.clock.install();
	await visit.page.goto(session.checkoutUrl);
	await visit.ready();
	await fill(visit.page);
	return { ...session, visit, page: visit.page };
}

test("R1 R2: two clicks or two Enters create one order, and the busy button keeps its focus", async () => {
	for (const twice of [(page) => page.dblclick(submit), async (page) => {
		await page.focus("#email");
		await page.keyboard.press("Enter");
		await page.keyboard.press("Enter");
	}]) {
		const { visit, page } = await filled();
		let go;
		const gone = new Promise((resolve) => (go = resolve));
		await page.route(`**/${createOrder}`, async (route) => {
			await gone;
			await route.continue();
		});
		await twice(page);
		await page.focus(submit);
		assert.equal(await page.getAttribute(submit, "aria-busy"), "true");
		assert.equal(await page.getAttribute(submit, "aria-disabled"), "true");
		assert.equal(await page.getAttribute(submit, "disabled"), null);
		assert.equal(await page.innerText(submit), "Opening the payment page…");
		await page.keyboard.press("Enter");
		go();
		await paying(page);
		assert.equal(visit.posts(createOrder), 1);
		await visit.close();
	}
});

test("R3: a page restored from the back/forward cache is usable", async () => {
	const { visit, page } = await filled();
	await page.route(`**/${createOrder}`, () => {}); // no answer
	await page.click(submit);
	await page.waitForSelector(`${submit}[aria-busy]`);
	await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
	assert.equal(await page.getAttribute(submit, "aria-busy"), null);
	assert.equal(await page.innerText(submit), "Continue to payment");
	await visit.close();
});

test("R4 R6: a failure is announced once and retried with one key, after a delay or at once on request", async () => {
	const { visit, page, checkoutUrl } = await filled();
	const keys = await failing(page, 3);
	await page.click(submit);
	await page.waitForSelector("#hold:visible");
	assert.deepEqual((await page.innerText("#hold [role=alert]")).split(/\n+/), [
		"The payment page isn’t responding", "You haven’t been charged and your details are safe.",
	]);
	assert.match(await page.innerText("#hold"), /Trying again in [56] s, attempt 1 of 3\./);
	assert.equal(await page.locator("[role=alert]:has-text('Trying again')").count(), 0); // not announced each second
	assert.equal(await page.innerText(submit), "Try again now");
	await page.clock.fastForward(3000);
	await page.waitForFunction(() => /in [23] s/.test(document.querySelector("#hold").textContent));
	await page.clock.fastForward(4000);
	await page.waitForFunction(() => /attempt 2 of 3/.test(document.querySelector("#hold").textContent));
	assert.equal(keys.length, 2);
	await page.click(submit);
	await page.waitForFunction(() => /attempt 1 of 3/.test(document.querySelector("#hold").textContent));
	assert.equal(keys.length, 3);

	// After Stop there are no more retries.
	await page.click("#hold button");
	assert.equal(await page.isVisible("#hold"), false);
	assert.match(await page.innerText("#notice"), /You haven’t been charged\. Try again\./);
	await page.clock.fastForward(60_000);
	assert.equal(keys.length, 3);

	await page.click(submit);
	await pay(page);
	await completed(page, checkoutUrl);
	assert.equal(keys.length, 4);
	assert.equal(new Set(keys).size, 1);
	assert.match(keys[0], /^[\w-]{8,256}$/);
	await visit.close();
});

test("Q1 R6: a buyer who has to wait for others is told how long, once, and the order is created by itself at that time", async () => {
	const { visit, page } = await filled();
	const keys = await failing(page, 3, (route) => route.fulfill({
		status: 503, headers: { "Retry-After": "40" },
		json: { data: null, errors: [{ message: "busy", layer: "order", code: "provider-busy" }] },
	}));
	const next = (seconds) => `Your turn is in about ${seconds} s. This page continues by itself.`;
	const shows = (seconds) => page.waitForFunction((said) => document.querySelector("#hold").innerText.includes(said), next(seconds));
	const waits = async () => {
		await page.click(submit);
		await page.waitForSelector("#hold:visible");
		await shows(40);
	};
	await waits();
	assert.deepEqual((await page.innerText("#hold [role=alert]")).split(/\n+/), [
		"Many people are buying right now", "You haven’t been charged and your details are safe.",
	]);
	await page.waitForFunction((said) => document.querySelector("#status[role=status]").textContent === said, next(40));
	assert.equal(await page.innerText(submit), "Waiting for your turn…");
	assert.equal(await page.getAttribute(submit, "aria-busy"), "true");
	await page.focus(submit);
	await page.keyboard.press("Enter"); // does nothing
	await page.clock.fastForward(10_000);
	await shows(30);
	assert.equal(await page.textContent("#status"), next(40)); // not announced each second
	await visit.shot("queue");

	// The buyer can stop, and the page is usable: an edit ends the wait.
	await page.click("#hold button");
	assert.equal(await page.isVisible("#hold") || await page.isVisible("#notice"), false);
	assert.equal(await page.evaluate((button) => document.activeElement.matches(button), submit), true);
	await waits();
	await page.fill("#email", "grace@fieldnotes.example");
	assert.equal(await page.isVisible("#hold"), false);
	assert.equal(await page.innerText(submit), "Continue to payment");
	assert.deepEqual([keys.length, new Set(keys).size], [2, 1]);

	await waits();
	await page.clock.fastForward(41_000);
	await paying(page);
	assert.deepEqual([keys.length, new Set(keys).size, keys[2] === keys[3]], [4, 2, true]);
	await visit.close();
});

// A shopper token is valid for one order. The order whose response was lost has spent it.
for (const [name, again] of Object.entries({
	"the page retries": (page) => page.clock.fastForward(7000),
	"the buyer retries": async (page) => {
		await page.click("#hold button");
		await page.click(submit);
	},
	"the buyer reloads the page": async (page, visit) => {
		await page.reload();
		await visit.ready();
		await page.click(submit);
	},
})) {
	test(`R4 R6: a lost response is returned again when ${name}`, async () => {
		const proxy = await cutter();
		const { visit, page, checkoutUrl } = await filled({ proxy: { server: proxy.server } });
		await page.click(submit);
		await page.waitForSelector("#hold:visible");
		proxy.cuts = false;
		assert.ok(proxy.lost.length > 0);
		await again(page, visit);
		await paying(page);
		assert.deepEqual([...new Set(proxy.lost)], [page.url()]);
		await pay(page);
		await completed(page, checkoutUrl);
		await visit.close();
		proxy.close();
	});
}

test("R1 R6: a change during create-order makes another order, and the first one is not followed", async () => {
	const { visit, page, checkoutUrl } = await filled();
	await page.fill("#email", "slow-1500ms@sandbox.test");
	const asked = page.waitForRequest(`**/${createOrder}`);
	await page.click(submit);
	await asked;
	await page.fill("#email", "ada@fieldnotes.example");
	await page.selectOption("#country", "FR");
	assert.equal(await page.getAttribute(submit, "aria-busy"), null);
	await page.click(submit);
	await paying(page);
	assert.match(await page.innerText("body"), /VAT \(FR 20%\)/);
	await pay(page);
	await completed(page, checkoutUrl);
	await visit.close();
});

test("R4: after the last retry the buyer can try again", async () => {
	const { visit, page } = await filled();
	const keys = await failing(page, 4);
	await page.click(submit);
	for (const seconds of [7, 13, 25]) {
		await page.waitForSelector("#hold:visible");
		await page.clock.fastForward(seconds * 1000);
	}
	await page.waitForSelector("#notice:visible");
	assert.equal(keys.length, 4);
	assert.equal(await page.innerText(submit), "Try again");
	await page.click(submit);
	await paying(page);
	await visit.close();
});

test("R5: a refusal is not retried", async () => {
	const refusals = [
		[400, "state-required", "/billingDetail/state", /Select your state/],
		[400, "environment-mismatch", undefined, /Something is wrong with this checkout link/],
		[401, "authentication-failed", undefined, /Your session ended/],
		[403, "session-wrong-store", undefined, /belongs to another store/],
	];
	await Promise.all(refusals.map(async ([status, code, path, expected]) => {
		const { visit, page } = await filled();
		const keys = await failing(page, 1, (route) =>
			route.fulfill({ status, json: { data: null, errors: [{ message: "no", layer: "order", code, path }] } }));
		await page.click(submit);
		await page.waitForFunction((source) => new RegExp(source).test(document.querySelector("main").innerText), expected.source);
		await page.clock.fastForward(60_000);
		assert.equal(keys.length, 1, String(status));
		await visit.close();
	}));
});

test("R5: a session that was closed meanwhile shows its new state", async () => {
	const { visit, page } = await filled();
	const expired = `<main><h1>over</h1></main>`;
	await failing(page, 1, (route) =>
		route.fulfill({ status: 409, json: { data: null, errors: [{ message: "no", layer: "order", code: "session-invalid" }] } }));
	await page.route(page.url(), (route) => route.fulfill({ status: 410, contentType: "text/html", body: expired }));
	await page.click(submit);
	await page.waitForSelector("h1:has-text('over')");
	await visit.close();
});

test("R6 R7: a reload and the way back keep the form and the key; another order has another key", async () => {
	const { visit, page } = await filled();
	const keys = await failing(page, 0);
	await page.fill("#postcode", "10115");
	await page.reload();
	await visit.ready();
	assert.equal(await page.inputValue("#email"), "ada@fieldnotes.example");
	assert.equal(await page.inputValue("#postcode"), "10115");
	assert.equal(await visit.total(), "€32.13");
	assert.deepEqual(await page.evaluate(() => [localStorage.length, document.cookie, sessionStorage.length]), [0, "", 1]);

	await page.click(submit);
	await paying(page);
	const first = page.url();
	await page.goBack({ waitUntil: "commit" });
	await page.waitForSelector(submit);
	await visit.ready();
	assert.equal(await page.getAttribute(submit, "aria-busy"), null);
	assert.equal(await page.inputValue("#postcode"), "10115");
	await page.click(submit);
	await paying(page);
	assert.equal(page.url(), first);

	await page.goBack({ waitUntil: "commit" });
	await page.waitForSelector(submit);
	await visit.ready();
	if (!(await page.isVisible("#postcode"))) await page.click(".review summary");
	await page.fill("#postcode", "10117");
	await page.click(submit);
	await paying(page);
	assert.equal(keys.length, 3);
	assert.equal(keys[0], keys[1]);
	assert.notEqual(keys[1], keys[2]);
	await pay(page);
	await page.waitForURL(/complete$/);
	await page.waitForFunction(() => sessionStorage.length === 0);
	await visit.close();
});

test("R7: the page says that it is offline, and continues when it is online", async () => {
	const { visit, page } = await filled();
	await visit.context.setOffline(true);
	await page.click(submit);
	await page.waitForSelector("#hold:visible");
	assert.match(await page.innerText("#hold"), /There’s no connection\s+You haven’t been charged/);
	await visit.context.setOffline(false);
	await paying(page);
	await visit.close();
});

test("R8: the page warns two minutes before the session expires, and one click extends it", async () => {
	const { checkoutUrl } = await newMerchantSession({ expiresInSeconds: 100 });
	const visit = await Visit.open(checkoutUrl);
	const { page } = visit;
	await page.waitForSelector("#expiry:visible");
	assert.match(await page.innerText("#expiry"), /This checkout is about to expire\s+It ends in [01]:\d\d\./);
	assert.equal(await page.innerText("#expiry [role=alert]"), "This checkout is about to expire");
	await page.click("#expiry button");
	await page.waitForSelector("#expiry", { state: "hidden" });
	await visit.close();
});

test("R8: activity renews the session and its token", async () => {
	const { checkoutUrl } = await newMerchantSession({ expiresInSeconds: 300 });
	const context = await browser.newContext();
	const visit = new Visit(context, await context.newPage());
	const { page } = visit;
	await page.clock.install();
	await page.goto(`${checkoutUrl}#token=${await newToken("buyer-17")}`);
	const renewals = () => visit.posts("checkout/renew-session");
	await visit.ready();
	assert.equal(renewals(), 1); // to learn the buyer's e-mail address
	await page.focus("#email");
	await page.keyboard.type("ada");
	assert.equal(renewals(), 1);
	await page.clock.fastForward(150_000);
	await page.keyboard.type("@fieldnotes.example");
	while (renewals() < 2) await page.waitForTimeout(20);
	assert.equal(renewals(), 2);
	await page.clock.fastForward(240_000); // past the first expiry
	assert.equal(await page.isVisible("#expiry"), false);
	await visit.close();
});

test("R8: an expired session shows so without a reload by the buyer", async () => {
	const { checkoutUrl } = await newMerchantSession({ expiresInSeconds: 2 });
	const visit = await Visit.open(checkoutUrl);
	await visit.page.waitForSelector("h1:has-text('This checkout has expired')");
	assert.equal(await visit.page.getAttribute("main .button", "href"), "/demo/shop");
	await visit.close();
});

test("R9: the page redirects to known payment pages only", async () => {
	const urls = ["https://evil.example/c/pay", "http://checkout.stripe.com/c/pay", "javascript:alert(1)"];
	await Promise.all(urls.map(async (checkoutUrl) => {
		const { visit, page } = await filled();
		await page.route(`**/${createOrder}`, (route) => route.fulfill({ json: { data: { checkoutUrl } } }));
		await page.click(submit);
		await page.waitForSelector("#notice:visible");
		assert.ok(page.url().startsWith(dev.baseUrl));
		await visit.close();
	}));
});

test("R1 R6: two tabs create one order", async () => {
	const { visit, page, checkoutUrl } = await filled();
	const other = await visit.context.newPage();
	await other.goto(checkoutUrl);
	await fill(other);
	await Promise.all([page.click(submit), other.click(submit)]);
	await Promise.all([paying(page), paying(other)]);
	assert.equal(other.url(), page.url());
	await pay(page);
	await page.waitForURL(/complete$/);
	await completed(other, checkoutUrl);
	await visit.close();
});

// Reasons for which the core cannot load. The form then gets errors and totals from the server.
const blocked = {
	"switched off": (page) => page.addInitScript(() => delete globalThis.WebAssembly),
	"forbidden by a policy": (page) =>
		page.route(/\/checkout\/cs_[^/]*$/, async (route) => {
			const response = await route.fetch();
			const policy = response.headers()["content-security-policy"].replace(" 'wasm-unsafe-eval'", "");
			await route.fulfill({ response, headers: { ...response.headers(), "content-security-policy": policy } });
		}),
	"not found": (page) => page.route("**/*.wasm", (route) => route.fulfill({ status: 404 })),
	"corrupt": (page) =>
		page.route("**/*.wasm", (route) => route.fulfill({ contentType: "application/wasm", body: "\0asm\x01\0\0\0\xff" })),
	"never arriving": (page) => page.route("**/*.wasm", () => {}),
};

test("P3: a purchase without the core", { concurrency: 3 }, async (t) => {
	await Promise.all(Object.entries(blocked).map(([name, block]) =>
		t.test(`core ${name}`, async () => {
			const { checkoutUrl } = await newSession();
			const context = await browser.newContext();
			const visit = new Visit(context, await context.newPage());
			const { page } = visit;
			await block(page);
			await page.goto(checkoutUrl);
			await fill(page);
			await page.waitForFunction(() => document.querySelector(".total dd").textContent === "€32.13");
			assert.deepEqual(await visit.taxes(), ["VAT\n19% · Germany\n€5.13"]);
			await page.selectOption("#country", "US");
			await page.click(submit);
			await page.waitForSelector("#notice li");
			assert.deepEqual(await page.locator("#notice li").allInnerTexts(), ["Select your state"]);
			await page.selectOption("#state", "US-TX");
			assert.equal(await visit.fault("state").count(), 0);
			await page.waitForFunction(() => document.querySelector(".total dd").textContent === "€28.69");
			await page.click(submit);
			await pay(page);
			await completed(page, checkoutUrl);
			await visit.close();
		})));
});

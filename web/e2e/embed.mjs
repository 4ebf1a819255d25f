// The checkout in a frame of merchants' pages on two sites: localhost, which the store lists, and another port of it, which it does not.
// The checkout is on 127.0.0.1, so that for the browser its frame is a third party.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { browser, completed, dev, fill, newSession, pay, sandbox, setStore, submit } from "./shop.mjs";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const [, example] = /<!-- embed example -->\n```html\n(.*?)```/s.exec(readme);
const permanent = `${dev.baseUrl}/store/${dev.storeSlug}/product/${dev.products[0].id}?test=true&currency=EUR`;
const shop = example.replaceAll("https://pay.example.com/v1", `${dev.baseUrl}/v1`).replace(/https:\/\/pay\.example\.com\/store[^"]*/, permanent);

// serve starts a merchant's server, whose pages a test sets, and returns its origin.
const pages = {};
const servers = [];
const serve = () => new Promise((resolve) => {
	const server = createServer((request, response) => {
		response.setHeader("Content-Type", "text/html; charset=utf-8").end(pages[request.url.split("?")[0]] ?? "");
	});
	servers.push(server);
	server.listen(0, "localhost", () => resolve(`http://localhost:${server.address().port}`));
});
let listed, unlisted;

before(async () => {
	[listed, unlisted] = [await serve(), await serve()];
	await setStore({ frameOrigins: [listed] });
});
after(async () => {
	await browser.close();
	for (const server of servers) server.close();
});

// open loads a merchant's page. Its events are the texts that the page logs.
async function open(url, options = {}) {
	const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
	const page = await context.newPage();
	page.setDefaultTimeout(60_000);
	const complaints = [], events = [];
	page.on("console", (message) => ({ error: complaints, log: events })[message.type()]?.push(message.text()));
	page.on("pageerror", (error) => complaints.push(String(error)));
	await page.goto(url);
	return { page, complaints, events, context };
}

// embedding is a merchant's page that opens a checkout and logs the events.
const embedding = (url, options = "{}") => `<!doctype html><title>Shop</title><p style="height: 3000px">Shop</p><div id="here"></div>
<button id="open">Open</button><script type="module">
import { openCheckout, resumeCheckout } from "${dev.baseUrl}/v1/client.js";
const onEvent = (event) => console.log(JSON.stringify(event));
const options = () => ({ onEvent, ...${options} });
window.resumed = resumeCheckout(options());
document.querySelector("#open").onclick = () => { window.checkout = openCheckout("${url}", options()); };
</script>`;

const frameOf = async (page) => (await (await page.waitForSelector("iframe")).contentFrame());
const typesOf = (events) => events.map((event) => JSON.parse(event).type).filter((type) => type !== "resized");

// escape closes an overlay from within its frame. Nobody waits for the release of the key: Chromium does not always answer it when the
// press has removed the frame.
function escape(page) {
	page.keyboard.press("Escape").catch(() => {});
	return page.waitForSelector("dialog", { state: "detached" });
}

async function until(condition, what) {
	for (let tries = 0; tries < 600; tries++) {
		if (await condition()) return;
		await new Promise((wake) => setTimeout(wake, 100));
	}
	assert.fail(what);
}

// buy buys in the example's overlay, up to the return to the merchant's page. It returns the frame of the resumed checkout.
async function buy(page) {
	await page.click("#buy");
	const frame = await frameOf(page);
	await frame.waitForSelector("form[data-core]");
	await fill(frame);
	await frame.click(submit);
	await page.waitForURL((url) => url.href.startsWith(`${dev.baseUrl}/sandbox/`)); // the whole page, not the frame
	await pay(page);
	await page.waitForURL(`${listed}/?article=7`);
	return frameOf(page);
}

const thanked = (page) => page.waitForFunction(() => /^Thank you! Your order is ORD_/.test(document.querySelector("#status").textContent));

test("the example: overlay, payment at the top, return, completed; with third-party cookies blocked", async () => {
	pages["/"] = shop;
	const { page, complaints } = await open(`${listed}/?article=7`);
	const frame = await buy(page);
	await thanked(page);
	assert.equal(await frame.innerText("h1"), "Thank you. Your order is complete.");
	await escape(page);
	await page.reload();
	assert.equal(await page.locator("iframe").count(), 0, "a completed checkout is not opened again");
	assert.deepEqual(complaints, []);
});

test("a buyer who returns before the payment has been reported waits for it", async () => {
	pages["/"] = shop;
	const faults = await fetch(`${sandbox}faults`, {
		method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ faults: ["webhook.late:8s"] }),
	});
	assert.equal(faults.status, 200);
	const { page } = await open(`${listed}/?article=7`);
	const frame = await buy(page);
	await frame.waitForSelector(".badge.pending");
	await thanked(page);
	await frame.waitForSelector(".badge.paid");
});

test("the overlay is a modal dialog: name, focus, Escape, no scrolling, focus returned", async () => {
	pages["/overlay"] = embedding((await newSession()).checkoutUrl, '{ title: "Kasse", closeLabel: "Schließen" }');
	const { page, events, complaints } = await open(`${listed}/overlay`);
	const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.tagName);
	await page.click("#open");
	const frame = await frameOf(page);
	await until(() => events.length > 1, "loaded and resized");
	assert.deepEqual(typesOf(events), ["loaded"]);
	assert.equal(await focused(), "IFRAME");
	const dialog = page.getByRole("dialog", { name: "Kasse" });
	assert.ok(await dialog.evaluate((it) => it.matches(":modal")));
	assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).overflow), "hidden");
	const before = await page.evaluate(() => scrollY);
	await page.mouse.move(30, 700);
	await page.mouse.wheel(0, 500);
	assert.equal(await page.evaluate(() => scrollY), before);

	// Tab goes through the frame to the button and back, and never to the page behind.
	await frame.waitForSelector("form[data-core]");
	// Focus moves between processes, so that a look after each key misses a stop where the next key is as quick: the page records them, too.
	await page.evaluate(() => {
		window.stops = [];
		addEventListener("focusin", ({ target }) => stops.push(target.id || target.tagName));
	});
	const stops = new Set();
	for (let tab = 0, at = ""; tab < 120 && !(stops.has("BUTTON") && at === "IFRAME"); tab++) {
		await page.keyboard.press("Tab");
		at = await focused();
		for (const stop of [at, ...(await page.evaluate(() => window.stops))]) stops.add(stop);
	}
	assert.deepEqual([...stops].filter((stop) => stop !== "BODY").sort(), ["BUTTON", "IFRAME"], "focus left the dialog");

	await frame.focus("#email");
	await escape(page);
	assert.equal(await focused(), "open");
	assert.equal(await page.evaluate(() => document.documentElement.style.overflow), "");
	await page.click("#open");
	await page.getByRole("button", { name: "Schließen" }).click();
	await page.click("#open");
	await frameOf(page);
	await page.evaluate(() => checkout.close());
	assert.deepEqual(typesOf(events).filter((type) => type === "closed").length, 3);
	assert.deepEqual(complaints, []);
});

test("inline: the frame is as high as its content, the language can be changed, and other sites open at the top", async () => {
	pages["/inline"] = embedding((await newSession()).checkoutUrl, '{ into: document.querySelector("#here") }');
	const { page, events, complaints } = await open(`${listed}/inline`, { viewport: { width: 500, height: 900 } });
	await page.click("#open");
	let frame = await frameOf(page);
	await frame.waitForSelector("form[data-core]");
	const gap = async () => Math.abs((await page.locator("iframe").boundingBox()).height - (await frame.evaluate(() => document.documentElement.scrollHeight)));
	await until(async () => (await gap()) < 1, "the frame has another height than its content");
	const low = (await page.locator("iframe").boundingBox()).height;
	await frame.check("#isBusiness");
	await until(async () => (await page.locator("iframe").boundingBox()).height > low, "the frame does not grow");
	await frame.uncheck("#isBusiness");
	await until(async () => (await page.locator("iframe").boundingBox()).height === low, "the frame does not shrink");
	await frame.selectOption("#language", "de");
	await until(async () => (frame = await frameOf(page)) && (await frame.innerText("h1").catch(() => "")) === "Rechnungsangaben" ||
		/^de$/.test(await frame.getAttribute("html", "lang").catch(() => "")), "the language does not change");
	assert.equal(page.url(), `${listed}/inline`);
	await frame.focus("#email");
	await page.keyboard.press("Escape");
	assert.equal(await page.locator("iframe").count(), 1, "Escape closes only an overlay");
	assert.deepEqual(await frame.evaluate(() => [...document.querySelectorAll("footer a, .legal a, .merchant a")].filter((link) => link.target !== "" && link.target !== "_top")
		.map((link) => link.href)), []);
	assert.equal(await frame.evaluate(() => document.querySelector("base").target), "_top");
	assert.ok(events.some((event) => JSON.parse(event).type === "resized"));
	assert.deepEqual(complaints, []);
});

test("without JavaScript in the frame, the form opens the provider's page at the top", async () => {
	const { checkoutUrl } = await newSession();
	pages["/plain"] = `<!doctype html><title>Shop</title><iframe src="${checkoutUrl}" width="900" height="900"></iframe>`;
	const { page } = await open(`${listed}/plain`, { javaScriptEnabled: false });
	const frame = await frameOf(page);
	await fill(frame);
	await frame.click(submit);
	await until(() => page.url().startsWith(dev.baseUrl), "the page is still the merchant's");
});

test("a sandboxed frame offers a link to a new tab, and waits for the payment", async () => {
	const { checkoutUrl } = await newSession();
	pages["/sandboxed"] = `<!doctype html><title>Shop</title>
<iframe sandbox="allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox" src="${checkoutUrl}" width="900" height="900"></iframe>`;
	const { page, context } = await open(`${listed}/sandboxed`);
	const frame = await frameOf(page);
	await frame.waitForSelector("form[data-core]");
	await fill(frame);
	await frame.click(submit);
	const opened = context.waitForEvent("page");
	await frame.click(".pay > a.button");
	await pay(await opened);
	await frame.waitForSelector(".badge.paid");
	assert.equal(page.url(), `${listed}/sandboxed`);
	await completed(await context.newPage(), checkoutUrl);
});

test("hostile: an unlisted origin is not shown the checkout, and learns nothing", async () => {
	pages["/"] = embedding((await newSession()).checkoutUrl, '{ into: document.querySelector("#here") }');
	const { page, events, complaints } = await open(`${unlisted}/`);
	await page.click("#open");
	await until(() => events.length > 0, "no event");
	assert.deepEqual(events.map((event) => JSON.parse(event)), [{ type: "error", code: "not-loaded" }]);
	assert.ok(complaints.some((line) => /frame-ancestors/.test(line)), complaints.join("\n"));
	assert.equal(await (await frameOf(page)).locator("form").count(), 0);
});

test("hostile: a listed page inside an unlisted one is refused, too", async () => {
	const { checkoutUrl } = await newSession();
	pages["/inner"] = `<!doctype html><iframe src="${checkoutUrl}"></iframe>`;
	pages["/outer"] = `<!doctype html><iframe src="${listed}/inner"></iframe>`;
	const { page, complaints } = await open(`${unlisted}/outer`);
	await until(() => complaints.some((line) => /frame-ancestors/.test(line)), "the checkout is shown");
	assert.equal(page.frames().length, 3);
	assert.equal(await page.frames()[2].locator("form").count(), 0);
});

test("hostile: messages of other origins and windows are ignored on both sides", async () => {
	pages["/overlay"] = embedding((await newSession()).checkoutUrl);
	pages["/attacker"] = "<!doctype html><title>Attacker</title>";
	const { page, events } = await open(`${listed}/overlay`);
	await page.click("#open");
	await until(() => typesOf(events).includes("loaded"), "not loaded");

	// An attacker's frame in the merchant's page posts what the checkout posts, and connects to the checkout.
	await page.evaluate((url) => document.body.append(Object.assign(document.createElement("iframe"), { src: url, id: "attacker" })), `${unlisted}/attacker`);
	const attacker = await (await page.waitForSelector("#attacker", { state: "attached" })).contentFrame();
	await attacker.waitForLoadState();
	await attacker.evaluate(() => {
		window.heard = [];
		addEventListener("message", ({ data }) => heard.push(data));
		for (const message of [{ crepe: "completed", orderId: "ORD_x" }, { crepe: "escape" }, { crepe: "pay", url: "https://evil.example/", page: "https://evil.example/" }]) {
			parent.postMessage(message, "*");
		}
		parent.frames[0].postMessage({ crepe: "connect", returnUrl: "https://evil.example/" }, "*");
	});
	// The merchant's own window is not the checkout's either.
	await page.evaluate(() => postMessage({ crepe: "completed", orderId: "ORD_x" }, "*"));
	const frame = await frameOf(page);
	await frame.evaluate(() => dispatchEvent(new Event("resize")));
	await page.waitForTimeout(500);
	assert.deepEqual(typesOf(events), ["loaded"]);
	assert.equal(page.url(), `${listed}/overlay`);
	assert.deepEqual(await attacker.evaluate(() => heard), []);

	// Another site in the place of the checkout has its window, but not its origin.
	await page.evaluate((url) => (document.querySelector("dialog iframe").src = url), `${unlisted}/attacker`);
	await until(async () => (await (await page.$("dialog iframe")).contentFrame()).url() === `${unlisted}/attacker`, "not replaced");
	await (await frameOf(page)).evaluate(() => parent.postMessage({ crepe: "completed", orderId: "ORD_x" }, "*"));
	await page.waitForTimeout(300);
	assert.deepEqual(typesOf(events), ["loaded"]);
});

test("hostile: a checkout does not run a script in the merchant's page, and no other page can be framed", async () => {
	pages["/overlay"] = embedding((await newSession()).checkoutUrl);
	const { page, events, complaints } = await open(`${listed}/overlay`);
	await page.click("#open");
	const frame = await frameOf(page);
	await until(() => typesOf(events).includes("loaded"), "not loaded");
	await frame.evaluate(() => parent.postMessage({ crepe: "pay", url: "javascript:document.title='owned'", page: location.href }, "*"));
	await page.waitForTimeout(300);
	assert.equal(await page.title(), "Shop");
	assert.deepEqual(complaints, []);
	for (const path of ["/", "/dashboard", "/sandbox/log", "/demo/shop"]) {
		const { headers } = await fetch(dev.baseUrl + path);
		assert.match(headers.get("Content-Security-Policy") ?? "", /frame-ancestors 'none'/, path);
	}
});

test("off by default: without origins no page is shown in a frame", async () => {
	const { checkoutUrl } = await newSession();
	await setStore({ frameOrigins: [] });
	const { headers } = await fetch(checkoutUrl);
	assert.match(headers.get("Content-Security-Policy"), /frame-ancestors 'none'/);
	assert.equal(headers.get("X-Frame-Options"), "DENY");
	await setStore({ frameOrigins: [listed] });
	const after = (await fetch(checkoutUrl)).headers;
	assert.equal(after.get("X-Frame-Options"), null);
});

test("a link that leads nowhere tells an error", async () => {
	pages["/overlay"] = embedding(`${dev.baseUrl}/store/${dev.storeSlug}/product/PROD_0000000000000000000000`);
	const { page, events } = await open(`${listed}/overlay`);
	await page.click("#open");
	await until(() => typesOf(events).includes("error"), "no error");
	assert.deepEqual(events.map((event) => JSON.parse(event)).filter(({ type }) => type === "error"), [{ type: "error", code: "broken" }]);
});

// The operator's dashboard, without JavaScript, against a running `crepe dev` with a dashboard token and some orders.
//
//   DEV_JSON=.crepe/dev.json CREPE_DASHBOARD_TOKEN=… PAID_SESSION=cs_… node web/e2e/dashboard.mjs

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { fits, icons, overflow, violations } from "./checks.mjs";
import { browser, dev, Visit } from "./shop.mjs";

after(() => browser.close());

const token = process.env.CREPE_DASHBOARD_TOKEN;
const session = process.env.PAID_SESSION;
const root = `${dev.baseUrl}/dashboard`;

// open opens a window. Scripts of the pages are blocked by their policy; axe needs those of the browser.
const open = async (options = {}) => {
	const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, reducedMotion: "reduce", ...options });
	return new Visit(context, await context.newPage());
};

// logIn logs in through the form.
async function logIn({ page }) {
	await page.goto(root);
	await page.fill("#secret", token);
	const [answer] = await Promise.all([page.waitForResponse((response) => response.request().method() === "POST"), page.click("main button")]);
	assert.equal(answer.status(), 303, "the login is refused");
	await page.waitForSelector("nav.sections");
}

const to = (path) => ({ page }) => page.goto(root + path);

// openRefund opens the form that refunds the payment of a paid order.
async function openRefund({ page }) {
	await page.goto(`${root}/test/orders?q=buyer-3@fieldnotes.example`);
	await page.click("td a");
	await page.click("#payments ~ .scroll >> text=Refund");
}

async function fillRefund({ page }, amount, reason) {
	await page.fill("#amount", amount);
	await page.fill("#reason", reason);
	await page.click("main button");
}

// pages are all pages, each as a function that shows it to a visitor who has logged in.
const pages = {
	"overview": to("/test"),
	"overview, nothing sold": to("/prod"),
	async "overview, table"(visit) {
		await to("/test?days=90")(visit);
		await visit.page.click("summary");
	},
	"orders": to("/test/orders"),
	"orders, nothing found": to("/test/orders?q=nobody@example.com"),
	"orders, none": to("/prod/orders"),
	async "order"(visit) {
		await to(`/test/orders?q=${session}`)(visit);
		await visit.page.click("#tax ~ details summary");
	},
	async "order, declined"(visit) {
		await to("/test/orders?status=canceled")(visit);
		await visit.page.click("td a");
	},
	"refunds": to("/test/refunds"),
	"refunds, none": to("/prod/refunds"),
	"refund a payment": openRefund,
	async "refund a payment, refused"(visit) {
		await openRefund(visit);
		await fillRefund(visit, "99999", "Goodwill");
	},
	async "refund a payment, confirm"(visit) {
		await openRefund(visit);
		await fillRefund(visit, "5.00", "The second handbook was damaged in the post.");
	},
	"sessions": to("/test/sessions"),
	"sessions, none": to("/prod/sessions"),
	async "session"(visit) {
		await to("/test/sessions")(visit);
		await visit.page.click("td a");
	},
	"webhooks": to("/test/webhooks"),
	"webhooks, none": to("/prod/webhooks"),
	async "webhook delivery"(visit) {
		await to("/test/webhooks")(visit);
		await visit.page.locator("td a").last().click();
	},
	"products": to("/test/products"),
	async "product"(visit) {
		await to("/test/products")(visit);
		await visit.page.locator("td a").last().click();
	},
	"quarantine": to("/test/quarantine"),
	"quarantine, empty": to("/prod/quarantine"),
	"refund due": to("/test/refund-due"),
	"refund due, empty": to("/prod/refund-due"),
	"not found": to("/test/nothing"),
};

const screens = [1360, 390].flatMap((width) => ["light", "dark"].map((colorScheme) => ({ width, colorScheme })));

// check runs every check of a page and takes its pictures.
async function check(visit, name) {
	const { page } = visit;
	for (const width of [1920, 1360, 768, 390, 320]) await fits(page, width);
	for (const { width, colorScheme } of screens) {
		await page.setViewportSize({ width, height: 900 });
		await page.emulateMedia({ colorScheme });
		assert.deepEqual(await violations(page), [], `${name} at ${width} in ${colorScheme}`);
		if (width === 1360 || colorScheme === "light") {
			await visit.shot(`dashboard-${name}-${width}-${colorScheme}`.replace(/[^\w]+/g, "-"));
		}
	}
	assert.equal(await page.locator("h1").count(), 1);
}

test("the token opens the dashboard, and logging out closes it", async () => {
	const visit = await open({ javaScriptEnabled: false });
	const { page, context } = visit;
	await page.goto(`${root}/test/orders?status=completed`);
	assert.equal(await page.innerText("h1"), "Log in to the dashboard");
	await page.fill("#secret", "x".repeat(40));
	await page.click("main button");
	assert.match(await page.innerText(".error"), /not the token/);
	await page.fill("#secret", token);
	await page.click("main button");
	assert.equal(page.url(), `${root}/test/orders?status=completed`);
	const [cookie, ...others] = await context.cookies();
	assert.deepEqual(others, []);
	assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, "Strict", "/dashboard"]);
	await page.click(".logout button");
	assert.equal(await page.innerText("h1"), "Log in to the dashboard");
	await page.goto(`${root}/test`);
	assert.equal(await page.innerText("h1"), "Log in to the dashboard");
	await context.close();
});

test("an event is marked as handled without JavaScript", async () => {
	const visit = await open({ javaScriptEnabled: false });
	const { page } = visit;
	await logIn(visit);
	await page.click(".sections >> text=Quarantine");
	const waiting = page.locator(".card button");
	const before = await waiting.count();
	await waiting.first().click();
	assert.equal(await page.innerText(".done"), "Marked as handled.");
	assert.equal(await waiting.count(), before - 1);
	await visit.close();
});

test("a test event is sent, and a delivery is sent again", async () => {
	const visit = await open({ javaScriptEnabled: false });
	const { page } = visit;
	await logIn(visit);
	await page.click(".sections >> text=Webhooks");
	await page.click(".card button");
	assert.equal(await page.innerText(".done"), "A test event is sent now.");
	assert.match(await page.innerText("h1"), /webhook.test/);
	const tries = async () => {
		await page.reload();
		return page.locator("tbody tr").count();
	};
	while ((await tries()) < 1) await page.waitForTimeout(100);
	await page.click(".act button");
	assert.match(await page.innerText(".done"), /sent again/);
	while ((await tries()) < 2) await page.waitForTimeout(100);
	await visit.close();
});

test("a refund is approved and made, without JavaScript", async () => {
	const visit = await open({ javaScriptEnabled: false });
	const { page } = visit;
	await logIn(visit);
	await page.click(".sections >> text=Refunds");
	const ticket = page.locator(".card", { hasText: "It is not what I expected." });
	await ticket.locator("input[name=note]").fill("With our apologies");
	const order = await ticket.locator("a").getAttribute("href");
	await ticket.locator("text=Refund 10.00 EUR").click();
	assert.match(await page.innerText(".done"), /The refund is approved/);
	let row = "";
	for (let tries = 0; tries < 600 && !row.includes("Credit note"); tries++) {
		await page.goto(new URL(order, root).href);
		row = await page.innerText("#refunds ~ .scroll tbody");
	}
	for (const text of ["Succeeded", "10.00 EUR", "REF_", "Credit note"]) assert.ok(row.includes(text), `${text} in ${row}`);
	await visit.close();
});

test("a payment is refunded in part, after a confirmation, without JavaScript", async () => {
	const visit = await open({ javaScriptEnabled: false });
	const { page } = visit;
	await logIn(visit);
	await page.goto(`${root}/test/orders?q=${session}`);
	await page.click("#payments ~ .scroll >> text=Refund");
	await fillRefund(visit, "1000000", "Goodwill");
	assert.match(await page.innerText(".error"), /exceeds the refundable amount/);
	assert.equal(await page.inputValue("#reason"), "Goodwill");
	await fillRefund(visit, "3.00", "Goodwill");
	assert.equal(await page.innerText("h1"), "Refund 3.00 EUR?");
	await page.click("main button");
	assert.match(await page.innerText(".done"), /The refund is recorded/);
	assert.match(await page.innerText("#refunds ~ .scroll tbody"), /3\.00 EUR/);
	assert.match(await page.innerText("#tickets ~ .card"), /Goodwill/);
	await visit.close();
});

test("a search finds an order by its session, external id and e-mail address", async () => {
	const visit = await open({ javaScriptEnabled: false });
	const { page } = visit;
	await logIn(visit);
	await page.click(".sections >> text=Orders");
	await page.fill("#q", session);
	await page.click(".filter button");
	const facts = await page.innerText("main");
	const [order] = facts.match(/ORD_\w{22}/);
	for (const text of ["INV-2026-1", "campaign", "user-1"]) assert.ok(facts.includes(text), text);
	await page.click("text=/^Receipt /");
	assert.match(await page.innerText("body"), /Crêpe Starter Kit/);
	await page.goto(`${root}/test/orders`);
	await page.fill("#q", "INV-2026-1");
	await page.click(".filter button");
	assert.deepEqual(await page.locator("td code").allInnerTexts(), [order]);
	await page.goto(`${root}/test/orders?q=Buyer-3@fieldnotes.example`);
	assert.match(await page.innerText("tbody"), /buyer-3@/);
	await page.goto(`${root}/prod/orders?q=${session}`);
	assert.equal(await page.innerText(".empty h2"), "No order matches");
	await visit.close();
});

test("pages of a list have every order once", async () => {
	const visit = await open({ javaScriptEnabled: false });
	const { page } = visit;
	await logIn(visit);
	await page.goto(`${root}/test/orders`);
	const seen = [];
	for (;;) {
		seen.push(...(await page.locator("td code").allInnerTexts()));
		if (!(await page.locator(".pages >> text=Next page").count())) break;
		await page.click(".pages >> text=Next page");
	}
	assert.equal(seen.length, new Set(seen).size);
	assert.ok(seen.length > 70, `${seen.length} orders`);
	await visit.close();
});

test("axe reports no violation on any page, at any width, in both themes", async (t) => {
	const visit = await open();
	await visit.page.goto(root);
	await t.test("login", () => check(visit, "login"));
	await logIn(visit);
	for (const [name, show] of Object.entries(pages)) {
		await show(visit);
		await t.test(name, () => check(visit, name));
	}
	assert.deepEqual(visit.complaints.filter((text) => text.includes("Content Security Policy") && !text.includes("unsafe-eval")), []);
	assert.deepEqual(visit.requests.filter((request) => !request.split(" ")[1].startsWith(dev.baseUrl)), []);
	await visit.close();
});

test("with forced colours icons have system colours", async () => {
	for (const colorScheme of ["light", "dark"]) {
		const visit = await open({ forcedColors: "active", colorScheme });
		await logIn(visit);
		for (const name of ["order", "orders", "webhook delivery"]) {
			await pages[name](visit);
			const { count, foreign } = await icons(visit.page);
			assert.ok(count > 0, name);
			assert.deepEqual(foreign, [], `${name} in ${colorScheme}`);
			await visit.shot(`dashboard-forced-${colorScheme}-${name.replace(" ", "-")}`);
		}
		await visit.context.close();
	}
});

test("text at twice the size causes no horizontal scrolling", async () => {
	const visit = await open({ viewport: { width: 640, height: 900 } });
	await logIn(visit);
	for (const [name, show] of Object.entries(pages)) {
		await show(visit);
		await visit.page.evaluate(() => document.body.style.setProperty("zoom", "2"));
		assert.ok((await overflow(visit.page)) <= 0, `${name} is ${await overflow(visit.page)} px too wide`);
	}
	await visit.close();
});

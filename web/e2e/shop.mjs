// A running `crepe dev` as a merchant's server and a buyer's browser see it.

import { createHash, createSign } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const file = process.env.DEV_JSON;
if (!file) throw new Error("DEV_JSON must name the dev.json of a running `crepe dev`");
export const dev = JSON.parse(readFileSync(file, "utf8"));

const shots = process.env.SHOTS;
if (shots) mkdirSync(shots, { recursive: true });

export const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", // Debian package chromium
	args: ["--no-sandbox"], // tests run as root in containers
});

// call posts to the API.
async function call(action, headers, body) {
	const response = await fetch(`${dev.baseUrl}/v1/actions/${action}`, {
		method: "POST",
		headers: { "Content-Type": "application/json", ...headers },
		body,
	});
	const answer = await response.json();
	if (!response.ok) throw new Error(`${action}: ${JSON.stringify(answer.errors)}`);
	return answer.data;
}

// newSession opens a checkout session for the demo product, as anybody on the store's public page may.
export function newSession(more = {}) {
	const body = JSON.stringify({ productId: dev.products[0].id, currency: "EUR", ...more });
	return call("checkout/create-session", { "X-Store-Slug": dev.storeSlug, "X-Environment": "test" }, body);
}

// signed posts as the merchant's server.
async function signed(action, request) {
	const body = JSON.stringify(request);
	const timestamp = String(Math.floor(Date.now() / 1000));
	const digest = createHash("sha256").update(body).digest("base64");
	const canonical = `POST\n/v1/actions/${action}\n${timestamp}\n${digest}`;
	const signature = createSign("sha256").update(canonical).sign(dev.privateKey.test, "base64");
	return call(action, { "X-Merchant-Id": dev.merchantId, "X-Timestamp": timestamp, "X-Signature": signature }, body);
}

// newToken issues a session token for a buyer whom the merchant knows.
export async function newToken(buyerIdentity) {
	return (await signed("auth/issue-session-token", { storeId: dev.storeId, buyerIdentity })).token;
}

// newMerchantSession opens a checkout session with what only the merchant may set.
export function newMerchantSession(more = {}) {
	return signed("checkout/create-session", { productId: dev.products[0].id, currency: "EUR", ...more });
}

export const createOrder = "onetime-order/create-order";
export const sandbox = `${dev.baseUrl}/sandbox/`;
export const thanks = "Thank you. Your order is complete.";
export const submit = ".pay > button"; // the button that sends the form

// fill types what every buyer types, for a buyer in Germany.
export async function fill(page) {
	await page.fill("#email", "ada@fieldnotes.example");
	await page.selectOption("#country", "DE");
}

// pay chooses an outcome on the sandbox's page and confirms it.
export async function pay(page, outcome = "succeeds") {
	await page.waitForURL((url) => url.href.startsWith(sandbox));
	await page.check(`input[value=${outcome}]`);
	await page.click("form button");
}

// completed waits until the session's own page says that the order is complete: the provider's webhook has come then.
export async function completed(page, checkoutUrl) {
	for (let tries = 0; tries < 50; tries++) {
		await page.goto(checkoutUrl);
		if ((await page.innerText("h1")) === thanks) return;
		await page.waitForTimeout(100);
	}
	throw new Error("the order is not completed");
}

// Visit is one buyer's page, with a record of what it did: the requests it made and what it complained of.
export class Visit {
	static async open(url, options = {}) {
		const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
		const visit = new Visit(context, await context.newPage());
		await visit.page.goto(url);
		return visit;
	}

	constructor(context, page) {
		this.context = context;
		this.page = page;
		this.requests = [];
		this.complaints = [];
		page.setDefaultTimeout(20_000);
		page.on("request", (request) => this.requests.push(`${request.method()} ${request.url()}`));
		page.on("console", (message) => {
			if (["error", "warning"].includes(message.type())) this.complaints.push(message.text());
		});
		page.on("pageerror", (error) => this.complaints.push(String(error)));
	}

	// ready waits for the core.
	ready() {
		return this.page.waitForSelector("form[data-core]");
	}

	posts(action) {
		return this.requests.filter((request) => request === `POST ${dev.baseUrl}/v1/actions/${action}`).length;
	}

	total() {
		return this.page.locator(".total dd").innerText();
	}

	taxes() {
		return this.page.locator(".tax").allInnerTexts();
	}

	fault(field) {
		return this.page.locator(`#${field}-error`);
	}

	async shot(name) {
		if (shots) await this.page.screenshot({ path: join(shots, `${name}.png`), fullPage: true, animations: "disabled" });
	}

	close() {
		return this.context.close();
	}
}

// Drives the pages of a running `crepe dev` in Chromium with Playwright.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { dev, sandbox, thanks } from "./merchant.mjs";

export * from "./merchant.mjs";

const shots = process.env.SHOTS;
if (shots) mkdirSync(shots, { recursive: true });

export const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", // Debian package chromium
	args: ["--no-sandbox", "--test-third-party-cookie-phaseout"], // tests run as root in containers; the page needs no cookie in a frame
});

// fill fills in the required fields for a buyer in Germany.
export async function fill(page) {
	await page.fill("#email", "ada@fieldnotes.example");
	await page.selectOption("#country", "DE");
}

// pay selects an outcome on the sandbox's page and confirms it.
export async function pay(page, outcome = "succeeds") {
	await page.waitForURL((url) => url.href.startsWith(sandbox));
	await page.check(`input[value=${outcome}]`);
	await page.click("form button");
}

// completed waits until the session's page shows a completed order, after the provider's webhook.
export async function completed(page, checkoutUrl) {
	for (let tries = 0; tries < 3000; tries++) {
		await page.goto(checkoutUrl);
		if ((await page.innerText("h1")) === thanks) return;
		await page.waitForTimeout(100);
	}
	throw new Error("the order was not completed in time");
}

// Visit is a buyer's page. It records requests, and console warnings and errors.
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
		page.setDefaultTimeout(600_000);
		page.on("request", (request) => this.requests.push(`${request.method()} ${request.url()}`));
		page.on("console", (message) => {
			if (["error", "warning"].includes(message.type())) this.complaints.push(message.text());
		});
		page.on("pageerror", (error) => this.complaints.push(String(error)));
	}

	// ready waits until the core has loaded.
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

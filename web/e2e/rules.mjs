// A store's own rules, against a running `crepe dev`: the discount and the refusals that they give are shown before the order, and the
// buyer pays what was shown.
//
//   DEV_JSON=.crepe/dev.json DATA=.crepe CREPE=bin/crepe node web/e2e/rules.mjs

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fits, violations } from "./checks.mjs";
import { browser, completed, createOrder, dev, fill, newSession, pay, sandbox, submit, Visit } from "./shop.mjs";

after(() => browser.close());

const folder = mkdtempSync(join(tmpdir(), "rules-"));
const coupon = { label: "Spring <b>coupon</b>", percent: 10, addresses: [createHash("sha256").update("ada@fieldnotes.example").digest("hex").slice(0, 16)] };

function plugin(...args) {
	return execFileSync(process.env.CREPE, ["plugin", ...args, "--store-id", dev.storeId, "--data", process.env.DATA], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

// rule publishes a sample with a config; more are flags.
function rule(sample, config, ...more) {
	const file = join(folder, "config.json");
	writeFileSync(file, JSON.stringify(config));
	const module = new URL(`../../wasm/rules/${sample}.wasm`, import.meta.url).pathname;
	const { version } = JSON.parse(plugin("upload", module, "--rule-config", file, "--json", ...more));
	plugin("publish", "--version", String(version), "--env", "test");
}

const discount = (page) => page.locator(".discount").first().allInnerTexts();
const until = (page, text) => page.waitForFunction((text) => document.querySelector("aside .lines").innerText.includes(text), text);
const quotes = (visit) => visit.posts("checkout/quote");

for (const [where, flags] of Object.entries({ server: [], page: ["--in-page"] })) {
	test(`V8: a discount of rules on the ${where} is shown, charged and on the receipt`, async () => {
		rule("coupon", coupon, ...flags);
		const { checkoutUrl } = await newSession();
		const visit = await Visit.open(checkoutUrl);
		const { page } = visit;
		await visit.ready();
		await page.selectOption("#country", "DE");
		await until(page, "32.13");
		assert.deepEqual(await discount(page), []);
		await page.fill("#email", "ada@fieldnotes.example");
		await until(page, "Spring <b>coupon</b>");
		assert.deepEqual(await discount(page), ["Spring <b>coupon</b>\n\u2212€2.70"]);
		assert.deepEqual([await page.innerText("#subtotal"), await visit.total()], ["€24.30", "€28.92"]);
		if (where === "page") assert.equal(quotes(visit), 0);
		await page.fill("#email", "bob@fieldnotes.example");
		await until(page, "32.13");
		assert.deepEqual(await discount(page), []);
		await page.fill("#email", "ada@fieldnotes.example");
		await until(page, "28.92");
		await page.click(submit);
		await page.waitForURL((url) => url.href.startsWith(sandbox));
		assert.match(await page.innerText("main"), /Spring <b>coupon<\/b>: −2\.70 EUR[^]*28\.92/);
		await pay(page);
		await completed(page, checkoutUrl);
		assert.match(await page.innerText("main"), /Spring <b>coupon<\/b>\s+−€2\.70/);
		await page.waitForSelector("a[href$='/receipt']");
		await page.click("a[href$='/receipt']");
		assert.match(await page.innerText("main"), /Spring <b>coupon<\/b>\s+−€2\.70[^]*28\.92/);
		assert.deepEqual(visit.complaints, []);
		await visit.close();
	});

	test(`V8: a refusal of rules on the ${where} is shown at once, at its field and in the list`, async () => {
		rule("countries", { except: ["FR"], message: "We do not sell to France." }, ...flags);
		const visit = await Visit.open((await newSession()).checkoutUrl);
		const { page } = visit;
		await visit.ready();
		await page.fill("#email", "ada@fieldnotes.example");
		await page.selectOption("#country", "FR");
		await page.waitForSelector("#country-caution");
		assert.equal(await page.innerText("#country-caution"), "We do not sell to France.");
		await page.click(submit);
		await page.waitForSelector("#notice:visible");
		assert.deepEqual(await page.locator("#notice li").allInnerTexts(), ["We do not sell to France."]);
		assert.equal(await page.innerText("#country-error"), "We do not sell to France.");
		assert.equal(visit.posts(createOrder), 0);
		await page.selectOption("#country", "DE");
		await page.waitForSelector("#country-caution", { state: "detached" });
		assert.equal(await page.isVisible("#notice"), false);
		await page.click(submit);
		await page.waitForURL((url) => url.href.startsWith(sandbox));
		await visit.close();
	});

	test(`V8: a refusal of rules on the ${where} about no field is shown above the button and the form`, async () => {
		rule("limits", { EUR: { max: "20.00" } }, ...flags);
		const visit = await Visit.open((await newSession()).checkoutUrl);
		const { page } = visit;
		await visit.ready();
		await fill(page);
		await page.waitForSelector("#check:visible");
		assert.equal(await page.innerText("#check"), "The largest order is 20.00 EUR.");
		await page.click(submit);
		await page.waitForSelector("#notice:visible");
		assert.equal(await page.innerText("#notice"), "The largest order is 20.00 EUR.");
		assert.equal(await page.isVisible("form"), true);
		await visit.close();
	});
}

test("V7: a discount that ends meanwhile is not ordered without its new total", async () => {
	rule("coupon", coupon);
	const visit = await Visit.open((await newSession()).checkoutUrl);
	const { page } = visit;
	await visit.ready();
	await fill(page);
	await until(page, "28.92");
	plugin("unpublish", "--env", "test");
	await page.click(submit);
	await page.waitForSelector("#check:visible");
	assert.match(await page.innerText("#check"), /Check the total\s+€32\.13/);
	assert.equal(visit.posts(createOrder), 0);
	await page.click(submit);
	await page.waitForURL((url) => url.href.startsWith(sandbox));
	assert.match(await page.innerText("main"), /32\.13/);
	await visit.close();
});

test("V7: a total that changes between the quote and the order is shown before it is charged", async () => {
	rule("coupon", coupon);
	const visit = await Visit.open((await newSession()).checkoutUrl);
	const { page } = visit;
	await visit.ready();
	await fill(page);
	await until(page, "28.92");
	await page.route(`**/${createOrder}`, (route) => {
		plugin("unpublish", "--env", "test");
		return route.continue();
	}, { times: 1 });
	await page.click(submit);
	await page.waitForSelector("#check:visible");
	assert.match(await page.innerText("#check"), /Check the total\s+€32\.13/);
	assert.equal(visit.posts(createOrder), 1);
	await page.click(submit);
	await page.waitForURL((url) => url.href.startsWith(sandbox));
	assert.match(await page.innerText("main"), /32\.13/);
	await visit.close();
});

test("V8: a module that fails in the page is left out, and the server decides", async () => {
	rule("coupon", coupon, "--in-page");
	const { checkoutUrl } = await newSession();
	const visit = await Visit.open("about:blank");
	const { page } = visit;
	await page.route("**/rules/**", (route) => route.fulfill({ status: 200, contentType: "application/wasm", body: Buffer.from([0, 97, 115, 109, 1, 0, 0, 0]) }));
	await page.goto(checkoutUrl);
	await visit.ready();
	await fill(page);
	await until(page, "28.92");
	assert.ok(quotes(visit) > 0);
	await visit.close();
});

test("A1 A5: the longest label and refusals fit, and axe finds nothing", async () => {
	rule("coupon", { ...coupon, label: "W".repeat(80) });
	const visit = await Visit.open((await newSession()).checkoutUrl);
	const { page } = visit;
	await visit.ready();
	await fill(page);
	await until(page, "28.92");
	await page.evaluate(() => (document.querySelector("aside details").open = true));
	for (const width of [320, 390, 1360]) await fits(page, width);
	assert.deepEqual(await violations(page), []);
	rule("limits", { EUR: { max: "20.00" }, message: "W".repeat(200) });
	await page.selectOption("#country", "FR");
	await page.waitForSelector("#check:visible");
	for (const width of [320, 390, 1360]) await fits(page, width);
	assert.deepEqual(await violations(page), []);
	await page.click(submit);
	await page.waitForSelector("#notice:visible");
	for (const width of [320, 390, 1360]) await fits(page, width);
	assert.deepEqual(await violations(page), []);
	await visit.close();
});

test("V8: without JavaScript the discount is in the review, and a refusal at its field", async () => {
	rule("coupon", coupon);
	const { checkoutUrl } = await newSession();
	const visit = await Visit.open(checkoutUrl, { javaScriptEnabled: false });
	const { page } = visit;
	await fill(page);
	await page.click(submit);
	assert.equal(await page.innerText("h1"), "Check the total");
	assert.deepEqual(await discount(page), ["Spring <b>coupon</b>\n\u2212€2.70"]);
	rule("addresses", { domains: ["fieldnotes.example"], message: "Please use another address." });
	await page.click(submit);
	assert.deepEqual(await page.locator("#notice li").allInnerTexts(), ["Please use another address."]);
	assert.equal(await page.innerText("#email-error"), "Please use another address.");
	await visit.close();
});

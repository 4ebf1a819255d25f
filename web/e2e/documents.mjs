// Receipts and credit notes, against a running `crepe dev`.
//
//   DEV_JSON=.crepe/dev.json node web/e2e/documents.mjs
//
// The server has --exchange-rates with 1.0832 USD for a euro.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { browser, completed, newRefund, newSession, pay, submit, Visit } from "./shop.mjs";

after(() => browser.close());

// business fills in the form for a business in Berlin.
async function business(page) {
	await page.fill("#email", "ada@fieldnotes.example");
	await page.selectOption("#country", "DE");
	await page.fill("#postcode", "10119");
	await page.check("#isBusiness");
	await page.fill("#businessName", "Fieldnotes GmbH");
	await page.fill("#taxId", "DE136695976");
	await page.fill("#street", "Torstraße 1");
	await page.fill("#city", "Berlin");
}

// receipt pays, follows the link of the completion page, and returns the JSON form.
async function receipt(page, checkoutUrl) {
	await pay(page);
	await completed(page, checkoutUrl);
	await page.click("a[href$='/receipt']");
	await page.waitForSelector("table");
	return (await page.request.get(`${page.url()}.json`)).json();
}

test("an address that a business adds is on its receipt, with and without JavaScript", async () => {
	for (const javaScriptEnabled of [true, false]) {
		const { checkoutUrl } = await newSession();
		const visit = await Visit.open(checkoutUrl, { javaScriptEnabled, viewport: { width: 320, height: 800 } });
		const { page } = visit;
		assert.equal(await page.isVisible("#street"), false);
		await business(page);
		assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 320);
		await visit.shot(`address, JavaScript ${javaScriptEnabled}`);
		await page.click(submit);
		if (!javaScriptEnabled) { // the total is confirmed
			assert.deepEqual((await page.locator(".review dd").allInnerTexts()).slice(-2), ["Torstraße 1", "Berlin"]);
			await page.click(submit);
		}
		const { customer } = await receipt(page, checkoutUrl);
		assert.deepEqual(customer.addresses, [{ street: "Torstraße 1", locality: "Berlin", code: "10119", country: "DE" }]);
		assert.equal(await page.innerText("address >> nth=1"), "Fieldnotes GmbH\nTorstraße 1\n10119 Berlin\nGermany\nVAT ID DE136695976\nada@fieldnotes.example");
		await visit.close();
	}
});

test("what a business has typed survives a reload, and a buyer who is none sends no address", async () => {
	const { checkoutUrl } = await newSession();
	const visit = await Visit.open(checkoutUrl);
	const { page } = visit;
	await business(page);
	await page.reload();
	assert.deepEqual([await page.inputValue("#street"), await page.inputValue("#city")], ["Torstraße 1", "Berlin"]);
	await page.uncheck("#isBusiness");
	await page.click(submit);
	const { customer } = await receipt(page, checkoutUrl);
	assert.deepEqual(customer.addresses, [{ code: "10119", country: "DE" }]);
	await visit.close();
});

test("a receipt has the tax in the seller's currency and lists its credit notes, and a credit note leads back", async () => {
	const { checkoutUrl } = await newSession({ currency: "USD" });
	const visit = await Visit.open(checkoutUrl);
	const { page } = visit;
	await page.fill("#email", "ada@fieldnotes.example");
	await page.selectOption("#country", "DE");
	await page.click(submit);
	const { code, meta, totals } = await receipt(page, checkoutUrl);
	assert.equal(totals.tax_accounting_currency, "EUR");
	assert.equal(totals.tax_in_accounting_currency, (totals.tax / 1.0832).toFixed(2));
	assert.match(await page.innerText("main"), /1 EUR = 1\.0832 USD/);
	const url = page.url();
	assert.equal(await page.locator(".corrections").count(), 0);
	await newRefund(meta.event_id, "10.00", "USD");
	for (let tries = 0; (await page.locator(".corrections").count()) === 0; tries++) {
		assert.ok(tries < 3000, "no credit note in time");
		await page.waitForTimeout(100);
		await page.reload();
	}
	assert.match(await page.innerText(".corrections li"), /^Credit note TEST-\w+-\d+-CN000001 · .+ · \$10\.00$/);
	for (const language of ["ar", "de", "ja-JP"]) {
		await page.goto(`${url}?language=${language}`);
		await visit.shot(`receipt, ${language}`);
		await page.click(".corrections a");
		await page.goto(`${page.url()}?language=${language}`);
		assert.match(await page.innerText("main"), /EUR/);
		await visit.shot(`credit note, ${language}`);
		assert.match(await page.innerText(".preceding"), new RegExp(code));
	}
	await page.click(".preceding a");
	assert.equal(page.url(), url);
	await visit.close();
});

// What a store asks buyers to agree to: shown for the billing country, required, and on the receipt, with and without JavaScript.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { browser, dev, fill, newSession, pay, setStore, submit, Visit } from "./shop.mjs";

const withdrawal = "I agree that the download begins at once, and know that I lose my right of withdrawal.";
const german = "Ich stimme zu, dass der Download sofort beginnt.";

before(() => setStore({ consents: [{ text: withdrawal, countries: ["EU"], always: true }, { text: german, countries: ["DE"] }, { text: "Elsewhere", countries: ["JP"] }] }));
after(() => browser.close());

const shown = (page) => page.locator(".consent:visible").allInnerTexts();

// receipt opens the receipt of a paid session.
async function receipt(page) {
	await page.waitForSelector("a[href$='/receipt']");
	await page.click("a[href$='/receipt']");
	return page.locator("main").innerText();
}

test("with JavaScript: by country, required, on the receipt with its text of then", async () => {
	const visit = await Visit.open((await newSession()).checkoutUrl);
	const { page } = visit;
	await visit.ready();
	assert.deepEqual(await shown(page), []);
	await page.selectOption("#country", "FR");
	assert.deepEqual(await shown(page), [withdrawal]);
	await page.selectOption("#country", "US");
	assert.deepEqual(await shown(page), []);
	await fill(page);
	assert.deepEqual(await shown(page), [withdrawal, german]);
	await page.click(submit);
	assert.deepEqual(await page.locator("#notice li").allInnerTexts(), ["Tick this box to continue", "Tick this box to continue"]);
	await page.click("#notice li:first-child a");
	assert.equal(await page.evaluate(() => document.activeElement.id), "consent-0");
	await page.keyboard.press("Space");
	assert.equal(await page.locator("#notice li").count(), 1);
	assert.equal(await page.locator("#consent-0-error").count(), 0);
	await page.check("#consent-1");
	assert.equal(await page.isVisible("#notice"), false);
	await page.click(submit);
	await pay(page);
	await page.waitForSelector(".badge.paid");
	const text = await receipt(page);
	assert.match(text, new RegExp(`Agreed on .*: ${withdrawal}`));
	const { meta } = await (await fetch(`${page.url()}.json`)).json();
	assert.deepEqual(meta.consents.map(({ text }) => text), [withdrawal, german]);
	assert.match(meta.consents[0].version, /^[0-9a-f]{16}$/);
	assert.ok(Math.abs(Date.parse(meta.consents[0].agreed_at) - Date.now()) < 600_000);
	assert.deepEqual(visit.complaints, []);
	await visit.close();
});

test("without JavaScript: by country, required, kept over the review", async () => {
	const visit = await Visit.open((await newSession()).checkoutUrl, { javaScriptEnabled: false });
	const { page } = visit;
	await page.selectOption("#country", "FR");
	assert.deepEqual(await shown(page), [withdrawal]);
	await page.fill("#email", "ada@fieldnotes.example");
	await page.click(submit);
	assert.deepEqual(await page.locator("#notice li").allInnerTexts(), ["Tick this box to continue"]);
	await page.check("#consent-0");
	await page.click(submit);
	if (!page.url().startsWith(`${dev.baseUrl}/sandbox/`)) await page.click(submit); // the total was confirmed
	await pay(page);
	await page.goto(page.url());
	for (let tries = 0; tries < 100 && !(await page.locator("a[href$='/receipt']").count()); tries++) {
		await page.waitForTimeout(100);
		await page.reload();
	}
	assert.match(await receipt(page), new RegExp(withdrawal));
	await visit.close();
});

test("a text that changes meanwhile is shown before the order", async () => {
	const visit = await Visit.open((await newSession()).checkoutUrl);
	const { page } = visit;
	await visit.ready();
	await page.fill("#email", "ada@fieldnotes.example");
	await page.selectOption("#country", "FR");
	await page.check("#consent-0");
	await setStore({ consents: [{ text: "Another text.", countries: ["EU"] }] });
	await page.click(submit);
	await page.waitForFunction(() => /Another text/.test(document.body.innerText));
	assert.equal(await page.isChecked("#consent-0"), false);
	assert.equal(await page.inputValue("#email"), "ada@fieldnotes.example");
	await visit.close();
});

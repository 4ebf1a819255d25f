// An operator's own tax rates, against a running `crepe dev --rates edge/e2e/testdata/rates.tsv`.
//
//   DEV_JSON=.crepe/dev.json node web/e2e/rates.mjs

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { browser, dev, newSession, submit, Visit } from "./shop.mjs";

after(() => browser.close());

test("page and order use the operator's own rates", async () => {
	const { checkoutUrl } = await newSession();
	const visit = await Visit.open(checkoutUrl);
	const { page } = visit;
	await visit.ready();
	await page.fill("#email", "ada@fieldnotes.example");
	await page.selectOption("#country", "US");
	await page.selectOption("#state", "US-NY");
	await page.waitForFunction(() => document.querySelector(".total dt").textContent === "Total");
	assert.equal(await visit.total(), "€27.00");
	await page.fill("#postcode", "10012");
	assert.deepEqual(await visit.taxes(), ["Sales tax\n8.875% · New York\n€2.40"]);
	assert.equal(await visit.total(), "€29.40");
	await page.click(submit);
	await page.waitForURL((url) => url.href.startsWith(`${dev.baseUrl}/sandbox/`));
	assert.match(await page.innerText("main"), /29\.40/);
	assert.deepEqual(visit.complaints, []);
	await visit.close();
});

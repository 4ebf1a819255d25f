// The purchase in Firefox and in WebKit, against a running `crepe dev`.
//
//   DEV_JSON=.crepe/dev.json node web/e2e/browsers.mjs

import assert from "node:assert/strict";
import { test } from "node:test";
import { newSession, sandbox, submit, thanks } from "./merchant.mjs";
import { firefox, webKit } from "./webdriver.mjs";

const texts = (selector) => `[...document.querySelectorAll(${JSON.stringify(selector)})].map((element) => element.innerText)`;

for (const start of [firefox, webKit]) {
	test(`a buyer pays with ${start.name}`, async (t) => {
		const began = performance.now();
		const browser = await start();
		t.after(() => browser.close());
		t.diagnostic(`${await browser.run("navigator.userAgent")}, there after ${Math.round(performance.now() - began)} ms`);
		const { checkoutUrl } = await newSession();
		await browser.open(checkoutUrl);
		await browser.until("document.querySelector('form[data-core]')");
		assert.equal(await browser.run("document.documentElement.scrollWidth <= innerWidth"), true);

		// Errors are listed with links to their fields.
		await browser.type("[name=email]", "ada@");
		await browser.click("[name=country] option[value=IT]");
		await browser.click("[name=isBusiness]");
		await browser.click(submit);
		assert.match(await browser.run("document.title"), /^Error: /);
		assert.equal(await browser.run("document.activeElement.id"), "notice");
		assert.deepEqual(await browser.run(texts("#notice li")), await browser.run(texts("p.error")));
		assert.equal(await browser.run("document.querySelectorAll('[aria-invalid]').length"), 3);

		// Valid values remove the errors, and the tax follows.
		await browser.type("[name=email]", "fieldnotes.example");
		await browser.click("[name=country] option[value=US]");
		assert.equal(await browser.run("document.querySelector('[name=state]').checkVisibility()"), true);
		await browser.click("[name=state] option[value=US-TX]");
		assert.match((await browser.run(texts(".tax")))[0], /6\.25% · Texas/);
		await browser.click("[name=country] option[value=DE]");
		await browser.type("[name=businessName]", "Fieldnotes GmbH");
		await browser.type("[name=taxId]", "de 136.695.976");
		assert.deepEqual(await browser.run(texts(".total dd")), ["€27.00"]);
		await browser.click("[name=isBusiness]");
		assert.deepEqual(await browser.run(texts(".total dd")), ["€32.13"]);
		assert.equal(await browser.run("document.querySelectorAll('[aria-invalid]').length"), 0);

		await browser.click(submit);
		await browser.until(`location.href.startsWith(${JSON.stringify(sandbox)})`);
		await browser.click("form button");
		await browser.until(`document.querySelector("h1").innerText === ${JSON.stringify(thanks)}`);
		assert.ok((await browser.run("location.href")).startsWith(checkoutUrl));
		assert.deepEqual(await browser.cookies(), []);

		// Right-to-left.
		await browser.open((await newSession()).checkoutUrl);
		await browser.click("[name=language] option[value=ar]");
		await browser.until("document.documentElement.dir === 'rtl'");
		assert.equal(await browser.run("document.documentElement.scrollWidth <= innerWidth"), true);
		assert.deepEqual((await browser.cookies()).map(({ name, value }) => `${name}=${value}`), ["language=ar"]);
	});
}

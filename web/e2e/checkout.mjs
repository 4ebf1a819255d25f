// A whole purchase on the hosted page, against a running `crepe dev`.
//
//   DEV_JSON=.crepe/dev.json node web/e2e/checkout.mjs

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, test } from "node:test";
import { browser, completed, createOrder, dev, fill, newSession, newToken, pay, sandbox, submit, thanks, Visit } from "./shop.mjs";

after(() => browser.close());

test("V1 V2 V3 V4 L3 F5 F7 A4: a buyer types, sees the tax, pays, and the order is completed", async () => {
	const { checkoutUrl } = await newSession();
	const visit = await Visit.open(checkoutUrl);
	const { page } = visit;
	await visit.ready();
	assert.deepEqual([await visit.total(), await page.innerText(".total dt")], ["€27.00", "Total before tax"]);

	// V1: no error while typing, one on blur, removed as soon as the value is valid.
	await page.locator("#email").pressSequentially("ada@");
	assert.equal(await visit.fault("email").count(), 0);
	await page.press("#email", "Tab");
	assert.equal(await visit.fault("email").innerText(), "Enter an email like name@example.com");
	assert.equal(await page.getAttribute("#email", "aria-describedby"), "email-error");
	await page.locator("#email").pressSequentially("fieldnotes.example");
	assert.equal(await visit.fault("email").count(), 0);
	assert.equal(await page.getAttribute("#email", "aria-invalid"), null);

	// V2, V3: missing values are reported on submit, in a list with links to the fields.
	await page.check("#isBusiness");
	await page.press("#businessName", "Tab");
	assert.equal(await visit.fault("businessName").count(), 0);
	await page.selectOption("#country", "US");
	await page.click(submit);
	assert.deepEqual(await page.locator("#notice li").allInnerTexts(), ["Select your state", "Enter your business name"]);
	assert.equal(await page.evaluate(() => document.activeElement.id), "notice");
	assert.match(await page.title(), /^Error: /);
	await page.click("#notice a >> nth=1");
	assert.equal(await page.evaluate(() => document.activeElement.id), "businessName");
	await page.uncheck("#isBusiness");
	await page.selectOption("#state", "US-TX");
	assert.equal(await page.isVisible("#notice"), false);
	assert.doesNotMatch(await page.title(), /^Error: /);

	// The tax follows the territory: one tax, two taxes, none while the territory is unknown.
	assert.deepEqual(await visit.taxes(), ["Sales tax\n6.25% · Texas\n€1.69"]);
	await page.selectOption("#country", "CA");
	assert.equal(await page.inputValue("#state"), "");
	assert.equal(await page.innerText(".total dt"), "Total before tax");
	await page.selectOption("#state", "CA-QC");
	assert.equal((await visit.taxes()).length, 2);
	await page.selectOption("#country", "DE");
	assert.equal(await page.isVisible("#state"), false);
	assert.deepEqual(await visit.taxes(), ["VAT\n19% · Germany\n€5.13"]);
	assert.equal(await visit.total(), "€32.13");
	await page.waitForFunction(() => document.querySelector("#status").textContent === "€32.13, including €5.13 tax");

	// Reverse charge for an EU business; the check digits of its VAT ID are verified.
	await page.check("#isBusiness");
	await page.fill("#businessName", "Fieldnotes GmbH");
	await page.fill("#taxId", "DE 136 695 970");
	await page.press("#taxId", "Tab");
	assert.match(await visit.fault("taxId").innerText(), /^Check the VAT ID/);
	await page.fill("#taxId", "de 136.695.976");
	assert.equal(await page.innerText("#taxId-good"), "Format and check digits match");
	assert.equal(await visit.total(), "€27.00");
	await page.uncheck("#isBusiness");
	assert.equal(await visit.total(), "€32.13");

	await page.dblclick(submit);
	await page.waitForURL((url) => url.href.startsWith(sandbox));
	assert.equal(visit.posts(createOrder), 1);
	assert.match(await page.innerText("main"), /32\.13/);
	await pay(page);
	await page.waitForURL(`${checkoutUrl}/complete`);
	await completed(page, checkoutUrl);
	assert.deepEqual(visit.complaints, []);
	assert.deepEqual(visit.requests.filter((request) => !request.split(" ")[1].startsWith(dev.baseUrl)), []);
	await visit.close();
});

test("V6 P3: a purchase without JavaScript", async () => {
	const { checkoutUrl } = await newSession();
	const visit = await Visit.open(checkoutUrl, { javaScriptEnabled: false });
	const { page } = visit;
	assert.equal(await page.isVisible("#state"), false);
	await page.selectOption("#country", "US");
	assert.equal(await page.isVisible("#state"), true);
	await page.fill("#email", "ada@");
	await page.click(submit);
	const list = ["Enter an email like name@example.com", "Select your state"];
	assert.deepEqual(await page.locator("#notice li").allInnerTexts(), list);
	assert.equal(await page.inputValue("#email"), "ada@");
	await page.fill("#email", "ada@fieldnotes.example");
	await page.selectOption("#state", "US-TX");
	assert.equal(await page.innerText(".total dt"), "Total before tax");
	await page.click(submit);

	// V7: the total with its tax is confirmed; Edit and the way back keep what was typed.
	assert.deepEqual([await page.innerText("h1"), await page.innerText(".lead")], ["Check the total", "€28.69 · Includes €1.69 tax"]);
	assert.deepEqual(await page.locator(".review dd").allInnerTexts(), ["ada@fieldnotes.example", "United States", "Texas"]);
	await page.click(".review summary");
	await page.selectOption("#country", "CA");
	assert.equal(await page.isVisible("#state"), false); // of the United States
	await page.selectOption("[data-country=CA] select", "CA-ON");
	await page.click(submit);
	assert.equal(await page.innerText(".lead"), "€30.51 · Includes €3.51 tax");
	await page.goBack();
	await page.goBack();
	assert.deepEqual([await page.inputValue("#email"), await page.inputValue("#country")], ["ada@fieldnotes.example", "US"]);
	await page.goForward();
	await page.goForward();
	await page.click(submit);
	await page.waitForURL((url) => url.href.startsWith(sandbox));
	assert.match(await page.innerText("main"), /30\.51/);
	await page.goBack();
	assert.equal(await page.innerText(".lead"), "€30.51 · Includes €3.51 tax");
	await page.click(submit);
	await pay(page);
	await page.waitForURL(`${checkoutUrl}/complete`);
	await completed(page, checkoutUrl);
	await visit.close();
});

test("the session token is removed from the URL and used for the order", async () => {
	const { checkoutUrl } = await newSession({ successUrl: `${dev.baseUrl}/demo/thank-you` });
	const visit = await Visit.open(`${checkoutUrl}#token=${await newToken("buyer-17")}`);
	const { page } = visit;
	await visit.ready();
	assert.equal(page.url(), checkoutUrl);
	await page.fill("#email", "ada@fieldnotes.example");
	await page.selectOption("#country", "JP");
	await page.press("#email", "Enter");
	await pay(page);
	await page.waitForURL(`${dev.baseUrl}/demo/thank-you`);
	assert.equal(visit.posts("auth/issue-shopper-token"), 0);
	await completed(page, checkoutUrl);
	await visit.close();
});

test("R5: an invalid token ends the checkout with a message", async () => {
	const { checkoutUrl } = await newSession();
	const visit = await Visit.open(`${checkoutUrl}#token=eyJhbGciOiJub25lIn0.e30.`);
	const { page } = visit;
	await fill(page);
	await page.click(submit);
	await page.waitForFunction(() => document.querySelector("form").hidden);
	assert.equal(await page.innerText("h1"), "Your session ended");
	assert.match(await page.innerText("#ended p"), /^You haven’t been charged\. /);
	assert.deepEqual(await page.locator("#ended .button").allInnerTexts(), ["Start again", "Return to Crêpe Demo", "Contact support"]);
	assert.equal(await page.getAttribute("#ended .button >> nth=-1", "href"), "mailto:support@crepe-demo.example");
	assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1");
	await visit.shot("ended");
	await page.click("#ended .button");
	await visit.ready();
	assert.notEqual(page.url(), checkoutUrl);
	assert.equal(await visit.total(), "€27.00");
	await visit.close();
});

test("the module gives the same bytes in a browser as elsewhere", async () => {
	const folder = new URL("../../core/testdata/vectors/", import.meta.url);
	const vectors = readdirSync(folder).map((name) => {
		const { op, in: input, text, out } = JSON.parse(readFileSync(new URL(name, folder), "utf8"));
		return { name, op, input: text ?? JSON.stringify(input), want: JSON.stringify(out) };
	});
	const visit = await Visit.open((await newSession()).checkoutUrl);
	const got = await visit.page.evaluate(async (vectors) => {
		const { core } = JSON.parse(document.querySelector("#data").textContent);
		const { Core } = await import(document.querySelector("script[src]").src);
		const module = await Core.load(core.url, core.integrity);
		return vectors.map(({ op, input }) => {
			const answer = module.call(op, input);
			if (op === "rates") module.call(op, "{}"); // reset for the next vector
			return answer;
		});
	}, vectors);
	assert.ok(vectors.length >= 100);
	for (const [i, { name, want }] of vectors.entries()) assert.equal(got[i], want, name);
	await visit.close();
});

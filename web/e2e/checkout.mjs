// The hosted page in a real browser, against a running `crepe dev`.
//
//   DEV_JSON=.crepe/dev.json [SHOTS=folder] node web/e2e/checkout.mjs

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, test } from "node:test";
import { browser, dev, newSession, newToken, Visit } from "./shop.mjs";

const createOrder = "onetime-order/create-order";
const sandbox = `${dev.baseUrl}/sandbox/`;
const thanks = "Thank you. Your order is complete.";

after(() => browser.close());

// pay chooses an outcome on the sandbox's page and confirms it.
async function pay(page, outcome = "succeeds") {
	await page.waitForURL((url) => url.href.startsWith(sandbox));
	await page.check(`input[value=${outcome}]`);
	await page.click("form button");
}

// completed waits until the session's own page says that the order is complete: the provider's webhook has come then.
async function completed(page, checkoutUrl) {
	for (let tries = 0; tries < 50; tries++) {
		await page.goto(checkoutUrl);
		if ((await page.innerText("h1")) === thanks) return;
		await page.waitForTimeout(100);
	}
	assert.fail("the order is not completed");
}

test("a buyer types, sees the tax, pays, and the order is completed", async () => {
	const { checkoutUrl } = await newSession();
	const visit = await Visit.open(checkoutUrl);
	const { page } = visit;
	await visit.ready();
	await visit.shot("empty");
	assert.deepEqual([await visit.total(), await page.innerText(".total dt")], ["€27.00", "Total before tax"]);

	// V1: nothing while one types, the sentence on leaving, gone as soon as it is mended.
	await page.locator("#email").pressSequentially("ada@");
	assert.equal(await visit.fault("email").count(), 0);
	await page.press("#email", "Tab");
	assert.equal(await visit.fault("email").innerText(), "Enter an email like name@example.com");
	assert.equal(await page.getAttribute("#email", "aria-describedby"), "email-error");
	await page.locator("#email").pressSequentially("fieldnotes.example");
	assert.equal(await visit.fault("email").count(), 0);
	assert.equal(await page.getAttribute("#email", "aria-invalid"), null);

	// V2, V3: what is missing is said on submit, in a list that leads to the fields.
	await page.check("#isBusiness");
	await page.press("#businessName", "Tab");
	assert.equal(await visit.fault("businessName").count(), 0);
	await page.selectOption("#country", "US");
	await page.click("form > button");
	assert.deepEqual(await page.locator("#notice li").allInnerTexts(), ["Select your state", "Enter your business name"]);
	assert.equal(await page.evaluate(() => document.activeElement.id), "notice");
	assert.match(await page.title(), /^Error: /);
	await visit.shot("errors");
	await page.click("#notice a >> nth=1");
	assert.equal(await page.evaluate(() => document.activeElement.id), "businessName");
	await page.uncheck("#isBusiness");
	await page.selectOption("#state", "US-TX");
	assert.equal(await page.isVisible("#notice"), false);
	assert.doesNotMatch(await page.title(), /^Error: /);

	// The tax follows the place: one tax, two, none where nothing is known yet.
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

	// A business of the Union owes the tax itself; its number is checked, digit by digit.
	await page.check("#isBusiness");
	await page.fill("#businessName", "Fieldnotes GmbH");
	await page.fill("#taxId", "DE 136 695 970");
	await page.press("#taxId", "Tab");
	assert.match(await visit.fault("taxId").innerText(), /^Check the VAT ID/);
	await page.fill("#taxId", "de 136.695.976");
	assert.equal(await page.innerText("#taxId-good"), "Format and check digits match");
	assert.equal(await visit.total(), "€27.00");
	await visit.shot("business");
	await page.uncheck("#isBusiness");
	assert.equal(await visit.total(), "€32.13");
	await visit.shot("checkout");

	await page.dblclick("form > button");
	await page.waitForURL((url) => url.href.startsWith(sandbox));
	assert.equal(visit.posts(createOrder), 1);
	assert.match(await page.innerText("main"), /32\.13/);
	await pay(page);
	await page.waitForURL(`${checkoutUrl}/complete`);
	await completed(page, checkoutUrl);
	await visit.shot("complete");
	assert.deepEqual(visit.complaints, []);
	assert.deepEqual(visit.requests.filter((request) => !request.split(" ")[1].startsWith(dev.baseUrl)), []);
	await visit.close();
});

test("without JavaScript the same, with a page load in between", async () => {
	const { checkoutUrl } = await newSession();
	const visit = await Visit.open(checkoutUrl, { javaScriptEnabled: false });
	const { page } = visit;
	assert.equal(await page.isVisible("#state"), false);
	await page.selectOption("#country", "US");
	assert.equal(await page.isVisible("#state"), true);
	await page.fill("#email", "ada@");
	await page.click("form > button");
	const list = ["Enter an email like name@example.com", "Select your state"];
	assert.deepEqual(await page.locator("#notice li").allInnerTexts(), list);
	assert.equal(await page.inputValue("#email"), "ada@");
	await visit.shot("without-script");
	await page.fill("#email", "ada@fieldnotes.example");
	await page.selectOption("#state", "US-NY");
	await page.click("form > button");
	await pay(page);
	await page.waitForURL(`${checkoutUrl}/complete`);
	await completed(page, checkoutUrl);
	await visit.close();
});

test("the merchant's token is taken out of the address and spent on the order", async () => {
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

test("a token that has ended ends the session, in words", async () => {
	const { checkoutUrl } = await newSession();
	const visit = await Visit.open(`${checkoutUrl}#token=eyJhbGciOiJub25lIn0.e30.`);
	const { page } = visit;
	await fill(page);
	await page.click("form > button");
	await page.waitForFunction(() => document.querySelector("form").hidden);
	assert.match(await page.innerText("h1"), /^Your session ended\. Return to /);
	assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1");
	await visit.close();
});

test("a failure says that nothing was charged, and the same form can be sent again", async () => {
	const { checkoutUrl } = await newSession();
	const visit = await Visit.open(checkoutUrl);
	const { page } = visit;
	let failures = 0;
	await page.route(`**/${createOrder}`, (route) => {
		failures++;
		if (failures === 1) return route.abort();
		if (failures === 2) return route.fulfill({ status: 503, json: { data: null, errors: [{ message: "", layer: "order" }] } });
		return route.continue();
	});
	await fill(page);
	await page.click("form > button");
	for (let failed = 1; failed <= 2; failed++) {
		await page.waitForSelector("#notice button");
		assert.match(await page.innerText("#notice"), /You haven’t been charged\. Try again\./);
		assert.equal(await page.getAttribute("form > button", "aria-busy"), null);
		if (failed === 1) await visit.shot("failed");
		await page.click("#notice button");
	}
	await pay(page, "declined");
	await page.waitForSelector("[role=alert]");
	await pay(page);
	await completed(page, checkoutUrl);
	await visit.close();
});

test("what the server refuses stands at its field, and without the core the page still sells", async (t) => {
	const corruptions = {
		"not found": (route) => route.fulfill({ status: 404 }),
		"blocked": (route) => route.abort(),
		"corrupt": (route) => route.fulfill({ contentType: "application/wasm", body: "\0asm\x01\0\0\0\xff" }),
	};
	for (const [name, answer] of Object.entries(corruptions)) {
		await t.test(`core ${name}`, async () => {
			const { checkoutUrl } = await newSession();
			const context = await browser.newContext();
			const visit = new Visit(context, await context.newPage());
			const { page } = visit;
			await page.route("**/*.wasm", answer);
			await page.goto(checkoutUrl);
			await fill(page);
			await page.selectOption("#country", "US");
			await page.click("form > button");
			await page.waitForSelector("#notice li");
			assert.deepEqual(await page.locator("#notice li").allInnerTexts(), ["Select your state"]);
			await page.selectOption("#state", "US-TX");
			assert.equal(await visit.fault("state").count(), 0);
			assert.equal(await page.innerText(".total dt"), "Total before tax");
			await page.click("form > button");
			await pay(page);
			await completed(page, checkoutUrl);
			await visit.close();
		});
	}
});

test("Back from the payment page finds the form filled and ready", async () => {
	const { checkoutUrl } = await newSession();
	const visit = await Visit.open(checkoutUrl);
	const { page } = visit;
	await fill(page);
	await page.click("form > button");
	await page.waitForURL((url) => url.href.startsWith(sandbox));
	const first = page.url();
	await page.goBack({ waitUntil: "commit" });
	await page.waitForSelector("form > button");
	await visit.ready();
	assert.equal(await page.inputValue("#email"), "ada@fieldnotes.example");
	assert.equal(await page.getAttribute("form > button", "aria-busy"), null);
	await page.click("form > button");
	await page.waitForURL((url) => url.href.startsWith(sandbox));
	assert.equal(page.url(), first);
	await visit.close();
});

test("the module answers in a browser as it does everywhere, to the byte", async () => {
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
		return vectors.map(({ op, input }) => module.call(op, input));
	}, vectors);
	assert.ok(vectors.length >= 100);
	for (const [i, { name, want }] of vectors.entries()) assert.equal(got[i], want, name);
	await visit.close();
});

test("pages fit narrow and wide screens, in both themes", async () => {
	const { checkoutUrl } = await newSession({
		currency: "USD", buyerEmail: "ada@fieldnotes.example",
		billingDetail: { country: "US", isBusiness: true, businessName: "Fieldnotes", state: "TX", postcode: "78701" },
	});
	const unknown = `${dev.baseUrl}/store/${dev.storeSlug}/checkout/cs_00000000-0000-4000-8000-000000000000`;
	const screens = [[1360, "light"], [1360, "dark"], [900, "light"], [390, "dark"], [320, "light"]];
	for (const [name, url] of [["prefilled", checkoutUrl], ["unknown", unknown]]) {
		for (const [width, colorScheme] of screens) {
			const visit = await Visit.open(url, { viewport: { width, height: 900 }, colorScheme });
			await visit.shot(`${name}-${width}-${colorScheme}`);
			const overflow = await visit.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
			assert.ok(overflow <= 0, `${name} is ${overflow} px too wide at ${width}`);
			await visit.close();
		}
	}
});

async function fill(page) {
	await page.fill("#email", "ada@fieldnotes.example");
	await page.selectOption("#country", "DE");
}

// Layout, fields and suggestions of the form, against a running `crepe dev`. The ids are those of the page's requirements, which
// edge/page lists.
//
//   DEV_JSON=.crepe/dev.json node web/e2e/form.mjs

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { browser, completed, dev, newSession, newToken, pay, submit, Visit } from "./shop.mjs";

after(() => browser.close());

// box returns an element's position and size.
const box = (page, selector) => page.locator(selector).boundingBox();

test("L1 L2: two columns on a wide screen, with the whole receipt above the fold", async () => {
	const { checkoutUrl } = await newSession();
	const visit = await Visit.open(checkoutUrl);
	const { page } = visit;
	await visit.ready();
	await page.selectOption("#country", "FR");
	const [aside, main] = [await box(page, "aside"), await box(page, "main")];
	assert.ok(aside.x + aside.width <= main.x && aside.y === main.y, "the columns are not side by side");
	assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector("aside > div")).position), "sticky");
	for (const part of [".due strong", ".item b", ".item .amount", "#subtotal", ".tax small", ".total dd"]) {
		const { y, height } = await box(page, part);
		assert.ok(y + height <= 900, `${part} is below the fold`);
	}
	assert.match(await page.innerText(".tax"), /VAT\s+20% · France/);
	await visit.close();
});

test("L1 L2: one column on a phone, with the total at the top and above the button", async () => {
	const { checkoutUrl } = await newSession();
	for (const width of [899, 390, 320]) {
		const visit = await Visit.open(checkoutUrl, { viewport: { width, height: 844 } });
		const { page } = visit;
		await visit.ready();
		await page.selectOption("#country", "FR");
		assert.equal(await page.isVisible(".item"), false);
		const top = await box(page, "summary strong");
		assert.ok(top.y < 130 && (await page.innerText("summary strong")) === "€32.40");
		const [sum, button] = [await box(page, ".sum"), await box(page, submit)];
		assert.ok(sum.y < button.y && button.y - sum.y - sum.height < 30, "the total is not right above the button");
		assert.match(await page.innerText(".sum"), /Total\s+€32\.40\s+Includes €5\.40 tax/);
		await page.click("summary");
		assert.equal(await page.isVisible(".item"), true);
		assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width, `too wide at ${width}`);
		await visit.close();
	}
});

test("L4: known details are shown as text with Edit, and one click orders", async () => {
	const known = {
		buyerEmail: "ada@fieldnotes.example", currency: "USD",
		billingDetail: { country: "CA", isBusiness: false, state: "ON", postcode: "K1A 0B1" },
	};
	for (const javaScriptEnabled of [true, false]) {
		const { checkoutUrl } = await newSession(known);
		const visit = await Visit.open(checkoutUrl, { javaScriptEnabled });
		const { page } = visit;
		assert.deepEqual(
			await page.locator(".review dd").allInnerTexts(), ["ada@fieldnotes.example", "Canada", "Ontario", "K1A 0B1"],
		);
		assert.equal(await page.isVisible("#email"), false);
		assert.equal(await page.innerText(".total dt"), "Total");
		await page.click(submit);
		await pay(page);
		await completed(page, checkoutUrl);
		await visit.close();
	}
	const visit = await Visit.open((await newSession(known)).checkoutUrl);
	const { page } = visit;
	await page.click(".review summary");
	await page.waitForFunction(() => document.activeElement.id === "email");
	assert.equal(await page.isVisible(".review dl"), false);
	assert.equal(await page.inputValue("#state"), "CA-ON");
	await page.selectOption("#country", "DE");
	assert.equal(await page.isVisible("#state"), false);
	await visit.close();
});

test("L5: an e-mail address that the token fixes cannot be changed", async () => {
	const { checkoutUrl } = await newSession({ buyerEmail: "somebody@else.example" });
	const visit = await Visit.open(`${checkoutUrl}#token=${await newToken("Ada@Fieldnotes.example")}`);
	const { page } = visit;
	await page.waitForFunction(() => document.querySelector("#email").readOnly);
	assert.equal(await page.inputValue("#email"), "ada@fieldnotes.example");
	await page.selectOption("#country", "DE");
	await page.click(submit);
	await pay(page);
	await completed(page, checkoutUrl);
	assert.match(await page.innerText(".meta"), /ada@fieldnotes\.example/);
	await visit.close();
});

test("F1 F3: each country has its fields, labels and keypad", async () => {
	const visit = await Visit.open((await newSession()).checkoutUrl);
	const { page } = visit;
	await visit.ready();
	await page.check("#isBusiness");
	const shown = () => page.locator(".field:visible > label").allInnerTexts();
	const expected = {
		US: ["State", "ZIP code", "Business name", "EIN"],
		CA: ["Province or territory", "Postal code", "Business name", "BN"],
		GB: ["Postcode", "Business name", "VAT ID"],
		HK: ["Business name", "Tax ID"],
		AE: ["Business name", "TRN"],
		DE: ["Postal code", "Business name", "VAT ID"],
	};
	for (const [country, labels] of Object.entries(expected)) {
		await page.selectOption("#country", country);
		assert.deepEqual(await shown(), ["Email", "Country or region", ...labels, "Street and number", "Town or city"], country);
	}
	for (const [country, mode] of [["US", "numeric"], ["DE", "numeric"], ["CA", "text"], ["GB", "text"], ["NL", "text"]]) {
		await page.selectOption("#country", country);
		assert.equal(await page.evaluate(() => document.querySelector("#postcode").inputMode), mode, country);
	}
	for (const input of await page.locator("input:visible, select:visible").all()) {
		const size = await input.evaluate((element) => [parseFloat(getComputedStyle(element).fontSize), element.id]);
		assert.ok(size[0] >= 16 || size[1] === "language", `iOS zooms into ${size}`);
	}
	await visit.close();
});

test("V5: a typing error in a well-known domain gets a suggestion, and is not corrected automatically", async () => {
	const visit = await Visit.open((await newSession()).checkoutUrl);
	const { page } = visit;
	await visit.ready();
	await page.locator("#email").pressSequentially("ada@gmial.com");
	assert.equal(await page.locator("#email-suggest").count(), 0);
	await page.press("#email", "Tab");
	assert.equal(await page.innerText("#email-suggest"), "Did you mean ada@gmail.com?");
	assert.equal(await page.getAttribute("#email", "aria-describedby"), "email-suggest");
	assert.equal(await page.getAttribute("#email", "aria-invalid"), null);
	assert.equal(await page.inputValue("#email"), "ada@gmial.com");
	await page.click("#email-suggest button");
	assert.equal(await page.inputValue("#email"), "ada@gmail.com");
	assert.equal(await page.locator("#email-suggest").count(), 0);
	assert.equal(await page.getAttribute("#email", "aria-describedby"), null);

	// A submitted address gets no suggestion again, and the order is created with it.
	await page.fill("#email", "ada@gmial.com");
	await page.press("#email", "Tab");
	await page.click(submit);
	await page.focus("#email");
	await page.press("#email", "Tab");
	assert.equal(await page.locator("#email-suggest").count(), 0);
	assert.equal(await page.inputValue("#email"), "ada@gmial.com");
	await page.selectOption("#country", "DE");
	await page.click(submit);
	await page.waitForURL((url) => url.href.startsWith(`${dev.baseUrl}/sandbox/`));
	await visit.close();
});

test("F4: what an input method types is understood, and a postcode in an unknown format is only questioned", async () => {
	const visit = await Visit.open((await newSession()).checkoutUrl);
	const { page } = visit;
	await visit.ready();
	const caution = page.locator("#postcode-caution");
	await page.fill("#email", "ｔａｒｏ＠ｅｘａｍｐｌｅ．ｃｏ．ｊｐ");
	await page.selectOption("#country", "JP");
	await page.fill("#postcode", "〒１００－０００１");
	await page.locator("#postcode").blur();
	assert.equal(await caution.count(), 0);
	await page.selectOption("#country", "US");
	await page.selectOption("#state", "US-NY");
	await page.fill("#postcode", "1001");
	assert.equal(await caution.count(), 0);
	await page.locator("#postcode").blur();
	assert.equal(await caution.innerText(), "Enter a 5-digit ZIP code");
	assert.equal(await page.getAttribute("#postcode", "aria-invalid"), null);
	await page.fill("#email", "taro@example.com");
	assert.equal(await caution.innerText(), "Enter a 5-digit ZIP code"); // it stays when another field is edited
	await page.fill("#postcode", "1002");
	assert.equal(await caution.count(), 0);
	await page.click(submit);
	await page.waitForURL((url) => url.href.startsWith(`${dev.baseUrl}/sandbox/`));
	await visit.close();
});

test("F3: a business gives the tax ID of its country, and a wrong one is questioned outside the Union", async () => {
	const visit = await Visit.open((await newSession()).checkoutUrl);
	const { page } = visit;
	await visit.ready();
	await page.fill("#email", "ada@fieldnotes.example");
	await page.check("#isBusiness");
	for (const [country, name] of Object.entries({ US: "EIN", JP: "Registration number", DE: "VAT ID", MC: "VAT ID", HK: "Tax ID", AU: "ABN" })) {
		await page.selectOption("#country", country);
		assert.equal(await page.innerText("label[for=taxId]"), name);
		assert.equal(await page.isVisible(".vat .optional"), country !== "DE");
	}
	await page.fill("#businessName", "Wattle Pty Ltd");
	await page.fill("#taxId", "51 824 753 565");
	await page.locator("#taxId").blur();
	assert.match(await page.innerText("#taxId-caution"), /check digits/);
	assert.match(await page.innerText(".tax"), /GST/);
	await page.fill("#taxId", "ABN ５１ 824 753 556");
	assert.equal(await page.locator("#taxId-caution").count(), 0);
	assert.equal(await page.innerText("#taxId-good"), "Format and check digits match");
	assert.match(await page.innerText(".tax"), /Reverse charge/i);
	await page.click(submit);
	await page.waitForURL((url) => url.href.startsWith(`${dev.baseUrl}/sandbox/`));
	await visit.close();
});

test("F4: a postcode selects its state, and a different state gets a warning", async () => {
	const visit = await Visit.open((await newSession()).checkoutUrl);
	const { page } = visit;
	await visit.ready();
	const caution = page.locator("#postcode-caution");
	await page.fill("#email", "ada@fieldnotes.example");
	await page.selectOption("#country", "US");
	await page.locator("#postcode").pressSequentially("7870");
	assert.equal(await page.inputValue("#state"), "");
	await page.locator("#postcode").pressSequentially("1");
	assert.equal(await page.inputValue("#state"), "US-TX");
	assert.equal(await visit.total(), "€28.69");
	await page.fill("#postcode", "10012");
	assert.equal(await page.inputValue("#state"), "US-NY"); // the buyer has not chosen
	assert.equal(await caution.count(), 0);
	await page.selectOption("#state", "US-NJ");
	assert.equal(await caution.innerText(), "This code is in New York. Check the state.");
	assert.equal(await page.getAttribute("#postcode", "aria-invalid"), null);
	assert.equal(await page.getAttribute("#postcode", "aria-describedby"), "postcode-caution");
	await page.click(submit);
	await page.waitForURL((url) => url.href.startsWith(`${dev.baseUrl}/sandbox/`));
	await page.goBack({ waitUntil: "commit" });
	await page.waitForSelector(submit);
	await visit.ready();
	if (!(await page.isVisible("#postcode"))) await page.click(".review summary");
	await page.selectOption("#country", "CA");
	await page.fill("#postcode", "k1a 0b1");
	assert.equal(await page.inputValue("#state"), "CA-ON");
	assert.equal(await caution.count(), 0);
	await visit.close();
});

test("pages fit narrow and wide screens, in both themes and directions", async () => {
	const { checkoutUrl } = await newSession({
		currency: "USD", buyerEmail: "ada@fieldnotes.example",
		billingDetail: { country: "US", isBusiness: true, businessName: "Fieldnotes", state: "TX", postcode: "78701" },
	});
	const unknown = `${dev.baseUrl}/store/${dev.storeSlug}/checkout/cs_00000000-0000-4000-8000-000000000000`;
	const screens = [[1360, "light", "en"], [1360, "dark", "ar"], [900, "light", "de"], [390, "dark", "zh-CN"], [320, "light", "ar"]];
	for (const [name, url] of [["prefilled", checkoutUrl], ["unknown", unknown]]) {
		for (const [width, colorScheme, locale] of screens) {
			const visit = await Visit.open(url, { viewport: { width, height: 900 }, colorScheme, locale });
			const overflow = await visit.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
			assert.ok(overflow <= 0, `${name} is ${overflow} px too wide at ${width} in ${locale}`);
			await visit.close();
		}
	}
});

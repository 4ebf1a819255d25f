// The page's languages, against a running `crepe dev`.
//
//   DEV_JSON=.crepe/dev.json [SHOTS=folder] node web/e2e/languages.mjs

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { browser, dev, newMerchantSession, newSession, newToken, submit, Visit } from "./shop.mjs";

after(() => browser.close());

// speak sets the cookie of a chosen language.
function speak(visit, language) {
	return visit.context.addCookies([{ name: "language", value: language, url: `${dev.baseUrl}/store/` }]);
}

// fits checks that the page does not scroll horizontally.
async function fits(page, what) {
	const [scrollWidth, clientWidth] = await page.evaluate(() => {
		const { scrollWidth, clientWidth } = document.documentElement;
		return [scrollWidth, clientWidth];
	});
	assert.ok(scrollWidth <= clientWidth, `${what}: ${scrollWidth} px of ${clientWidth}`);
}

const receipt = (page) => page.locator("aside dl.lines").evaluate((lines) => lines.textContent.replace(/\s+/g, ""));

test("the script formats amounts, taxes and territories as the server does", async () => {
	const { checkoutUrl } = await newMerchantSession({
		currency: "USD", priceSnapshot: { amount: "1290", taxCategory: "saas", taxIncluded: false },
		billingDetail: { country: "CA", state: "QC", isBusiness: false },
	});
	const plain = await Visit.open(checkoutUrl, { javaScriptEnabled: false });
	const scripted = await Visit.open(checkoutUrl);
	const total = { de: "1.483,18\u00a0$", ar: "\u200f1,483.18\u00a0US$", "pl-PL": "1483,18\u00a0USD", "ja-JP": "$1,483.18" };
	for (const [language, written] of Object.entries(total)) {
		await Promise.all([speak(plain, language), speak(scripted, language)]);
		await Promise.all([plain.page.goto(checkoutUrl), scripted.page.goto(checkoutUrl)]);
		await scripted.ready();
		const [mine, theirs] = await Promise.all([receipt(plain.page), receipt(scripted.page)]);
		assert.equal(theirs, mine, language);
		assert.equal(await plain.page.locator("aside strong[data-total]").first().textContent(), written);
	}
	await Promise.all([plain.close(), scripted.close()]);
});

test("the browser's language, and a change of language that keeps the form and the token", async () => {
	const { checkoutUrl } = await newSession();
	const token = await newToken("ada@fieldnotes.example");
	const visit = await Visit.open(`${checkoutUrl}#token=${token}`, { locale: "de-DE" });
	const { page } = visit;
	await visit.ready();
	assert.equal(await page.getAttribute("html", "lang"), "de");
	assert.equal(await page.locator("#country option").nth(1).getAttribute("value"), "DE");
	await page.selectOption("#country", "GB");
	await page.fill("#postcode", "SW1A 1AA");
	await page.selectOption("#language", "ko-KR");
	await page.waitForSelector("html[lang=ko-KR]");
	await visit.ready();
	assert.equal(page.url(), checkoutUrl, "the language or the token is left in the URL");
	assert.deepEqual([await page.inputValue("#country"), await page.inputValue("#postcode")], ["GB", "SW1A 1AA"]);
	await page.waitForFunction(() => document.querySelector("#email").value === "ada@fieldnotes.example");
	const cookies = await visit.context.cookies();
	assert.deepEqual(cookies.map(({ name, value, httpOnly, sameSite }) => [name, value, httpOnly, sameSite]),
		[["language", "ko-KR", true, "Lax"]]);
	assert.deepEqual(visit.complaints, []);
	await visit.close();
});

test("a change of language without JavaScript", async () => {
	const { checkoutUrl } = await newSession();
	const visit = await Visit.open(checkoutUrl, { javaScriptEnabled: false });
	await visit.page.fill("#email", "ada@");
	await visit.page.selectOption("#country", "CA");
	await visit.page.selectOption("[data-country=CA] select", "CA-QC");
	await visit.page.check("#isBusiness");
	await visit.page.fill("#businessName", "Fieldnotes");
	await visit.page.selectOption("#language", "zh-Hant-HK");
	await visit.page.click(".language button");
	assert.equal(await visit.page.getAttribute("html", "lang"), "zh-Hant-HK");
	assert.deepEqual(await visit.page.evaluate(() => ["email", "country", "state", "businessName"].map((id) => document.getElementById(id).value)),
		["ada@", "CA", "CA-QC", "Fieldnotes"]);
	assert.ok(await visit.page.isChecked("#isBusiness"));
	assert.equal(await visit.page.locator("[aria-invalid]").count(), 0);
	assert.equal(visit.page.url(), checkoutUrl);
	await visit.close();
});

test("every language fits at 320 px with all errors, and lacks no message", async () => {
	const { checkoutUrl } = await newSession();
	const visit = await Visit.open(checkoutUrl, { javaScriptEnabled: false, viewport: { width: 320, height: 800 } });
	const { page } = visit;
	const languages = await page.locator("#language option").evaluateAll((options) => options.map(({ value }) => value));
	assert.equal(languages.length, 29);
	await page.check("#isBusiness");
	for (const language of languages) {
		await speak(visit, language);
		await page.click(submit); // refused, in each language
		await fits(page, language);
		const said = await page.innerText("body");
		assert.doesNotMatch(said, /[{}]|undefined/, language);
		const ownName = await page.locator("#language option:checked").innerText();
		assert.equal(await page.getAttribute("html", "lang"), language, ownName);
	}
	await visit.close();
});

test("Arabic is right-to-left", async () => {
	const { checkoutUrl } = await newSession({ currency: "USD" });
	const visit = await Visit.open(checkoutUrl, { locale: "ar" });
	const { page } = visit;
	await visit.ready();
	assert.equal(await page.getAttribute("html", "dir"), "rtl");
	const summary = await page.locator("aside > div").boundingBox();
	const form = await page.locator("main > div").boundingBox();
	assert.ok(summary.x > form.x + form.width, "the summary is not on the start side");
	for (const width of [1360, 390, 320]) {
		await page.setViewportSize({ width, height: 900 });
		await fits(page, `${width} px`);
	}
	await visit.close();
});

test("messages that are 40 % longer fit", async () => {
	for (const width of [1360, 320]) {
		const { checkoutUrl } = await newSession();
		const visit = await Visit.open(checkoutUrl, { viewport: { width, height: 900 } });
		const { page } = visit;
		await visit.ready();
		await page.check("#isBusiness");
		await page.click(submit);
		await page.evaluate(() => {
			const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
			for (let node; (node = walk.nextNode()); ) {
				if (!node.data.trim() || node.parentElement.closest("script, [data-total], dd, option")) continue;
				node.data = node.data.replace(/\p{L}+/gu, (word) => word + "ë".repeat(Math.ceil(word.length * 0.4)));
			}
		});
		await fits(page, `${width} px`);
		await visit.shot(`longer-${width}`);
		await visit.close();
	}
});

// Pictures to look at.
if (process.env.SHOTS) {
	test("pictures", async () => {
		for (const language of (process.env.LANGUAGES ?? "de ar ja-JP zh-Hant-HK").split(" ")) {
			for (const [name, width] of [["desktop", 1360], ["mobile", 390]]) {
				const { checkoutUrl } = await newSession({
					currency: "USD", billingDetail: { country: "DE", isBusiness: true, businessName: "Fieldnotes", taxId: "DE136695976" },
				});
				const visit = await Visit.open(checkoutUrl, { viewport: { width, height: 900 } });
				await speak(visit, language);
				await visit.page.goto(checkoutUrl);
				await visit.ready();
				await visit.page.locator("aside details").evaluate((details) => (details.open = true));
				await visit.shot(`${language}-${name}`);
				if (await visit.page.locator("#edit").count()) await visit.page.locator("#edit").evaluate((details) => (details.open = true));
				await visit.page.fill("#email", "ada@");
				await visit.page.selectOption("#country", "US");
				await visit.page.click(submit);
				await visit.shot(`${language}-${name}-wrong`);
				await visit.close();
			}
		}
	});
}

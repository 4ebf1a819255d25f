// The form's layout in every language at every width, against a running `crepe dev`.
//
//   DEV_JSON=.crepe/dev.json [SHOTS=folder] node web/e2e/layout.mjs

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { scenes } from "./scenes.mjs";
import { browser, dev, newProduct, newSession, Visit } from "./shop.mjs";

after(() => browser.close());

const widths = [320, 360, 390, 430, 520, 600, 768, 899, 900, 1024, 1360];

// misfits returns the elements that are wider than their column, and the controls that are narrower than their text: with no country
// chosen, and with each country that has states and the longest of its states. A page that scrolls sideways is a misfit, too.
const misfits = (page) => page.evaluate(() => {
	const canvas = document.createElement("canvas").getContext("2d");
	const widthOf = (control, text) => {
		const { font, letterSpacing } = getComputedStyle(control);
		Object.assign(canvas, { font, letterSpacing: letterSpacing === "normal" ? "0px" : letterSpacing });
		return canvas.measureText(text).width;
	};
	const roomOf = (control) => {
		const { paddingLeft, paddingRight } = getComputedStyle(control);
		return control.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
	};
	const textOf = (control) => control.selectedOptions?.[0]?.text ?? control.placeholder ?? "";
	const choose = (control, value) => {
		control.value = value;
		control.dispatchEvent(new Event("input", { bubbles: true }));
	};
	const country = document.querySelector("#country"), state = document.querySelector("#state");
	const longest = (code) => [...state.options].filter(({ value }) => value.startsWith(`${code}-`))
		.reduce((a, b) => (widthOf(state, a.text) > widthOf(state, b.text) ? a : b)).value;
	const found = [];
	for (const code of ["", ...new Set([...document.querySelectorAll("option[data-state]")].map(({ value }) => value))]) {
		choose(country, code);
		if (code) choose(state, longest(code));
		const { scrollWidth, clientWidth } = document.documentElement;
		if (scrollWidth > clientWidth) found.push(`${code}: the page is ${scrollWidth - clientWidth} px too wide`);
		for (const control of document.querySelectorAll("input:not([type=checkbox]), select")) {
			if (!control.checkVisibility()) continue;
			const room = control.value ? 1 : 1.03; // a placeholder has to fit in wider fonts, too
			const lack = room * widthOf(control, textOf(control)) - roomOf(control);
			if (lack > 0.5) found.push(`${code}: "${textOf(control)}" lacks ${Math.ceil(lack)} px in #${control.id}`);
		}
		for (const column of document.querySelectorAll("aside > div, main > div")) {
			const { left, right } = column.getBoundingClientRect();
			for (const element of column.querySelectorAll("*:not(option, optgroup, .unseen, .language label)")) {
				if (!element.checkVisibility()) continue;
				const box = element.getBoundingClientRect();
				const own = element.clientWidth && element.scrollWidth - element.clientWidth; // its content's
				const excess = Math.max(left - box.left, box.right - right, own);
				if (excess > 0.5) found.push(`${code}: ${element.outerHTML.slice(0, 80)} is ${Math.ceil(excess)} px too wide`);
			}
		}
	}
	return found;
});

test("A5: no text and no control overflows, in any language, at any width, with the states of any country", async (t) => {
	const { checkoutUrl } = await newSession();
	const visit = await Visit.open(checkoutUrl, { reducedMotion: "reduce" });
	const { page } = visit;
	const languages = await page.locator("#language option").evaluateAll((options) => options.map(({ value }) => value));
	assert.equal(languages.length, 29);
	const found = [];
	for (const language of languages) {
		await visit.context.addCookies([{ name: "language", value: language, url: `${dev.baseUrl}/store/` }]);
		await page.goto(checkoutUrl);
		await visit.ready();
		for (const width of widths) {
			await page.setViewportSize({ width, height: 900 });
			found.push(...(await misfits(page)).map((misfit) => `${language} at ${width}: ${misfit}`));
		}
	}
	t.diagnostic(`${found.length} misfits`);
	assert.deepEqual(found, []);
	await visit.close();
});

test("L1 L3: below 900 px everything shares an edge; the top shows product, total and whether it has tax", async () => {
	const { checkoutUrl } = await newSession();
	const visit = await Visit.open(checkoutUrl, { reducedMotion: "reduce" });
	const { page } = visit;
	await visit.ready();
	for (const width of [320, 390, 600, 768, 899]) {
		await page.setViewportSize({ width, height: 900 });
		const edges = await page.evaluate(() => [".merchant", "aside summary", "h1", "#email", ".sum"]
			.map((part) => document.querySelector(part).getBoundingClientRect()).map(({ left }) => left));
		assert.deepEqual(new Set(edges).size, 1, `the edges at ${width} are ${edges}`);
		const said = (await page.innerText("aside summary")).split(/\s*\n\s*/);
		assert.deepEqual(said, ["Crêpe Starter Kit", "€27.00", "Order summary", "Total before tax"]);
	}
	await page.selectOption("#country", "DE");
	await page.waitForFunction(() => document.querySelector("aside summary").innerText.includes("€32.13"));
	assert.match(await page.innerText("aside summary"), /\nTotal$/);
	await visit.close();
});

test("amounts stand below each other by their right edges, from left to right and from right to left", async () => {
	const { checkoutUrl } = await newSession({ billingDetail: { country: "CA", state: "QC", isBusiness: false } });
	const visit = await Visit.open(checkoutUrl);
	const { page } = visit;
	for (const language of ["en", "de", "ar"]) {
		await visit.context.addCookies([{ name: "language", value: language, url: `${dev.baseUrl}/store/` }]);
		await page.goto(checkoutUrl);
		await visit.ready();
		const edges = await page.evaluate(() => [...document.querySelectorAll(".receipt :is(dd, .amount)")].map((amount) => {
			const range = document.createRange();
			range.selectNodeContents(amount);
			return Math.round(range.getBoundingClientRect().right);
		}));
		assert.equal(edges.length, 5);
		assert.equal(new Set(edges).size, 1, `${language}: ${edges}`);
	}
	await visit.close();
});

test("in Japanese and Chinese no space follows a full stop", async () => {
	const { checkoutUrl } = await newSession();
	const visit = await Visit.open(checkoutUrl);
	const { page } = visit;
	for (const language of ["ja-JP", "zh-Hans", "zh-Hant-TW"]) {
		await visit.context.addCookies([{ name: "language", value: language, url: `${dev.baseUrl}/store/` }]);
		await page.goto(checkoutUrl);
		const legal = await page.textContent(".legal");
		assert.match(legal, /[。].*[。]$/);
		assert.doesNotMatch(await page.textContent("body"), /[。！？][ \t]+\S/);
	}
	await visit.close();
});

test("what is not taxed says why: exempt in a state, and a military address", async () => {
	const { checkoutUrl } = await newSession();
	const visit = await Visit.open(checkoutUrl, { viewport: { width: 390, height: 900 } });
	const { page } = visit;
	await visit.ready();
	await page.selectOption("#country", "US");
	await page.selectOption("#state", "US-CA");
	assert.match(await page.innerText(".sum"), /Exempt\s+The law at your address does not tax this purchase\./);
	await page.selectOption("#state", "");
	for (const [postcode, state] of [["96201", "US-AP"], ["09012", "US-AE"], ["34002", "US-AA"]]) {
		await page.fill("#postcode", postcode);
		assert.equal(await page.inputValue("#state"), state);
		assert.match(await page.innerText(".sum"), /Military addresses \(APO, FPO, DPO\) and territories belong to no state/);
	}
	await visit.close();
});

test("images stand beside the product's name at every width; one that does not load leaves no gap", async () => {
	const host = "https://cdn.fieldnotes.example";
	const image = (name, alt) => ({ type: "image", url: `${host}/${name}.svg`, alt });
	const product = await newProduct({
		name: "Field Notes, the complete edition with maps", description: "Twelve issues.\nPrinted in Lyon.",
		media: [image("cover", "The cover"), image("lost", "Lost"), image("map", "A map")],
	});
	const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200"><rect width="300" height="200" fill="#0f5c4a"/><circle cx="150" cy="100" r="60" fill="#f2bf73"/></svg>`;
	for (const javaScriptEnabled of [true, false]) {
		const { checkoutUrl } = await newSession({ productId: product.id });
		const context = await browser.newContext({ viewport: { width: 390, height: 900 }, javaScriptEnabled });
		const visit = new Visit(context, await context.newPage());
		const { page } = visit;
		await page.route(`${host}/*`, (route) =>
			route.request().url().includes("lost") ? route.abort() : route.fulfill({ contentType: "image/svg+xml", body: drawing }));
		await page.goto(checkoutUrl);
		if (javaScriptEnabled) await visit.ready();
		await page.click("aside summary");
		for (const width of [320, 390, 768, 1360]) {
			await page.setViewportSize({ width, height: 900 });
			await page.waitForFunction(() => [...document.images].filter((image) => image.checkVisibility() && !image.src.includes("lost"))
				.every((image) => image.complete && image.naturalWidth > 0));
			const shown = await page.locator(".image:visible").evaluateAll((images) => images.map((image) => {
				const { left, right, height } = image.getBoundingClientRect();
				const column = image.closest("aside > div").getBoundingClientRect();
				return [image.src.match(/(\w+)\.svg/)[1], height, left >= column.left && right <= column.right];
			}));
			const top = width >= 360 && width < 900 ? [["cover", 40, true]] : [];
			const lost = javaScriptEnabled ? [] : [["lost", 64, true]];
			assert.deepEqual(shown, [...top, ["cover", 64, true], ...lost, ["map", 64, true]], `at ${width}`);
			await visit.shot(`images-${width}-${javaScriptEnabled}`);
		}
		assert.equal(await page.innerText(".item p"), "Twelve issues.\nPrinted in Lyon.");
		assert.deepEqual(visit.complaints.filter((text) => text.includes("Content Security Policy")), []);
		await visit.close();
	}
});

test("a printed page is the receipt and the buyer's details, in dark ink", async () => {
	const { checkoutUrl } = await newSession();
	const visit = await Visit.open(checkoutUrl, { colorScheme: "dark" });
	const { page } = visit;
	await visit.ready();
	await page.selectOption("#country", "DE");
	for (const width of [1360, 390]) {
		await page.setViewportSize({ width, height: 900 });
		await page.emulateMedia({ media: "print" });
		for (const part of [".due", ".receipt .item", ".receipt .total", "#country"]) assert.ok(await page.isVisible(part), `${part} at ${width}`);
		for (const part of [".pay", ".language", "footer >> nth=0", "footer >> nth=1", "aside summary"]) {
			assert.equal(await page.isVisible(part), false, `${part} at ${width}`);
		}
		const scheme = await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
		assert.equal(scheme, "light");
		await visit.shot(`print-${width}`);
		await page.emulateMedia({ media: "screen" });
	}
	await visit.close();
});

test("the cells of a receipt keep their distance, from left to right and from right to left", async () => {
	for (const locale of ["de", "ar"]) {
		const context = await browser.newContext({ locale, viewport: { width: 1000, height: 900 } });
		const visit = new Visit(context, await context.newPage());
		await scenes["receipt"](visit);
		for (const [width, least] of [[1000, 16], [320, 6]]) {
			await visit.page.setViewportSize({ width, height: 900 });
			const gaps = await visit.page.evaluate(() => [...document.querySelectorAll("tr")].flatMap((row) => {
				const boxes = [...row.cells].map((cell) => {
					const range = document.createRange();
					range.selectNodeContents(cell);
					return range.getBoundingClientRect();
				}).sort((a, b) => a.left - b.left);
				return boxes.slice(1).map(({ left }, i) => Math.round(left - boxes[i].right));
			}));
			assert.ok(Math.min(...gaps) >= least, `${locale} at ${width}: ${gaps}`);
		}
		await visit.shot(`receipt-cells-${locale}`);
		await visit.close();
	}
});

// What holds on every page and in every state, against a running `crepe dev`: nobody is kept out, nothing comes from
// elsewhere, and little comes at all. The ids are those of the page's requirements; edge/page lists them.
//
//   DEV_JSON=.crepe/dev.json node web/e2e/quality.mjs

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { get } from "node:http";
import { createRequire } from "node:module";
import { after, test } from "node:test";
import { scenes } from "./scenes.mjs";
import { browser, dev, newSession, sandbox, submit, Visit } from "./shop.mjs";

after(() => browser.close());

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

const widths = [1360, 390, 320];
const screens = widths.flatMap((width) => ["light", "dark"].map((colorScheme) => ({ width, colorScheme })));
const languages = ["en", "zh-CN", "ar"];

// These hold all that a page is made of: axe looks at them on every screen, and at the others on one in each language.
const everywhere = ["form, everything wrong", "form, a business of the Union", "order, paid", "sandbox, declined"];

// newContext is a browser's window. Nothing moves in it: a colour on its way to another is neither.
const newContext = (options) =>
	browser.newContext({ viewport: { width: 1360, height: 900 }, reducedMotion: "reduce", ...options });

// open is a new page of a context. What its policy keeps from running is among its complaints.
async function open(context) {
	const visit = new Visit(context, await context.newPage());
	await visit.page.addInitScript(() =>
		addEventListener("securitypolicyviolation", (event) =>
			console.error(`Content Security Policy: ${event.effectiveDirective} ${event.blockedURI}`)));
	return visit;
}

// faults are what axe has against a page. It cannot tell the contrast of text beside a drawn icon, and says so; the colours
// of every theme are measured in edge/page.
async function faults(page) {
	await page.evaluate(`if (!globalThis.axe) ${axe}`);
	const { violations, incomplete } = await page.evaluate(
		(rules) => axe.run(document, { runOnly: rules, resultTypes: ["violations", "incomplete"] }), rules,
	);
	return [...violations, ...incomplete.filter(({ id }) => id !== "color-contrast")].flatMap(({ id, nodes }) =>
		nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)}\n${failureSummary}`));
}

// overflow is by how many pixels a page is wider than its window.
const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

// small are the things to press that a finger misses (WCAG 2.5.8): under 24 pixels, and no part of a sentence. They are
// measured in the page's letters and in letters of one pixel: which fonts the reader has must not matter.
const small = (page) => page.evaluate(() => {
	const tiny = new CSSStyleSheet();
	tiny.replaceSync("* { font-size: 1px !important }");
	const missed = [[], [tiny]].flatMap((sheets) => {
		document.adoptedStyleSheets = sheets;
		return [...document.querySelectorAll("a[href], button, input, select, summary")]
			.map((element) => element.closest("label") ?? element)
			.filter((element) => element.checkVisibility())
			.filter((element) => getComputedStyle(element).display !== "inline" || element.parentElement.innerText === element.innerText)
			.map((element) => [element.outerHTML.slice(0, 120), element.getBoundingClientRect()])
			.filter(([, { width, height }]) => width < 24 || height < 24)
			.map(([html, { width, height }]) => `${html} is ${width} × ${height}${sheets.length ? " in tiny letters" : ""}`);
	});
	document.adoptedStyleSheets = [];
	return missed;
});

// fits checks that a page is no wider than its window, and that its buttons can be hit.
async function fits(page, width) {
	await page.setViewportSize({ width, height: 900 });
	assert.ok((await overflow(page)) <= 0, `${await overflow(page)} px too wide at ${width}`);
	assert.deepEqual(await small(page), [], `at ${width}`);
}

test("A1 A2 A3: axe finds nothing in any state, at any width, in both themes and directions", { concurrency: true }, (t) =>
	Promise.all(languages.map((locale, turn) => t.test(locale, async (t) => {
		const context = await newContext({ locale });
		const visit = await open(context);
		const { page } = visit;
		for (const [name, scene] of Object.entries(scenes)) {
			const one = [screens[turn++ % screens.length]];
			await t.test(name, async () => {
				await scene(visit);
				for (const width of widths) await fits(page, width);
				for (const { width, colorScheme } of locale === "en" && everywhere.includes(name) ? screens : one) {
					await page.setViewportSize({ width, height: 900 });
					await page.emulateMedia({ colorScheme });
					assert.deepEqual(await faults(page), [], `at ${width} in ${colorScheme}`);
				}
				assert.deepEqual(visit.complaints.filter((text) => text.includes("Content Security Policy")), []);
			});
			await page.goto("about:blank"); // an answer that is still awaited is not any more
			await page.unrouteAll();
		}
		await context.close();
	}))));

// grow doubles the letters and leaves the window as it is, and returns what is cut off then.
const grow = (page) => page.evaluate(() => {
	const elements = [...document.body.querySelectorAll("*")];
	const sizes = elements.map((element) => getComputedStyle(element)).map(({ fontSize, lineHeight }) => [fontSize, lineHeight]);
	elements.forEach(({ style }, i) => {
		[style.fontSize, style.lineHeight] = sizes[i].map((size) => `${2 * parseFloat(size)}px`);
	});
	return elements.filter((element) => {
		const { clipPath, overflow } = getComputedStyle(element);
		return element.checkVisibility() && overflow !== "visible" && clipPath === "none" &&
			(element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight);
	}).map((element) => element.outerHTML.slice(0, 120));
});

test("A3: letters of twice the size are all there, and push nothing out of the window", async () => {
	const context = await newContext({ viewport: { width: 640, height: 900 } });
	for (const name of [...everywhere, "form, trying again", "review", "expired", "sandbox, the bank's question"]) {
		const visit = await open(context);
		await scenes[name](visit);
		assert.deepEqual(await grow(visit.page), [], name);
		assert.ok((await overflow(visit.page)) <= 0, `${name} is ${await overflow(visit.page)} px too wide`);
		await visit.page.close();
	}
	await context.close();
});

// look is how the element with the focus is drawn, with and without it, and whether it is in sight.
const look = (page) => page.evaluate(() => {
	const element = document.activeElement;
	const drawn = () => [element, element.closest("label") ?? element].map((element) => {
		const { outline, outlineStyle, outlineWidth, boxShadow, borderColor } = getComputedStyle(element);
		return `${outlineStyle === "none" || parseFloat(outlineWidth) === 0 ? "" : outline} ${boxShadow} ${borderColor}`;
	}).join();
	const focused = drawn();
	const { left, top, width, height } = element.getBoundingClientRect();
	const hit = document.elementFromPoint(left + width / 2, top + height / 2);
	element.blur();
	const unfocused = drawn();
	element.focus({ preventScroll: true });
	return { html: element.outerHTML.slice(0, 120), focused, unfocused, inSight: element.contains(hit) || hit?.contains(element) };
});

// tabTo presses Tab until the focus is where it shall be. Wherever it stops on the way, one sees where it is.
async function tabTo(page, selector) {
	for (let stops = 1; stops < 40; stops++) {
		await page.keyboard.press("Tab");
		const { html, focused, unfocused, inSight } = await look(page);
		assert.notEqual(focused, unfocused, `the focus does not show on ${html}`);
		assert.ok(inSight, `something covers ${html}`);
		if (await page.evaluate((selector) => document.activeElement.matches(selector), selector)) return;
	}
	throw new Error(`no way to ${selector}`);
}

test("A2 P1: with the keyboard alone from the form to the merchant, past nobody else", async () => {
	for (const options of [{}, { viewport: { width: 390, height: 844 } }, { forcedColors: "active" }]) {
		const context = await newContext(options);
		const visit = await open(context);
		const { page } = visit;
		const { keyboard } = page;
		await page.goto((await newSession()).checkoutUrl);
		await visit.ready();
		await tabTo(page, "[name=email]");
		await keyboard.type("ada@fieldnotes.example");
		await tabTo(page, "[name=country]");
		await keyboard.type("Germ");
		await tabTo(page, "[name=isBusiness]");
		await keyboard.press("Space");
		await tabTo(page, "[name=businessName]");
		await keyboard.type("Fieldnotes GmbH");
		await tabTo(page, "[name=taxId]");
		await keyboard.type("DE136695976");
		await tabTo(page, submit);
		await keyboard.press("Enter");
		await page.waitForURL((url) => url.href.startsWith(sandbox));
		await tabTo(page, "form button");
		await keyboard.press("Enter");
		await page.waitForURL(/\/complete$/);
		await page.waitForSelector("body[data-standing=paid]");
		await tabTo(page, "main a");
		assert.deepEqual(await context.cookies(), []);
		await keyboard.press("Enter");
		await page.waitForURL(`${dev.baseUrl}/demo/shop`);
		assert.deepEqual(visit.requests.filter((request) => !request.split(" ")[1].startsWith(dev.baseUrl)), []);
		assert.deepEqual(visit.complaints, []);
		await context.close();
	}
});

test("A3: who wants nothing to move sees nothing move", async () => {
	const context = await newContext();
	const visit = await open(context);
	const { page } = visit;
	await scenes["form, everything wrong"](visit);
	const moving = await page.evaluate(() => [...document.querySelectorAll("*")]
		.flatMap((element) => ["", "::before", "::after"].map((part) => [element.outerHTML, getComputedStyle(element, part)]))
		.filter(([, { transitionDuration, transitionProperty }]) => transitionProperty !== "none" && parseFloat(transitionDuration) > 0)
		.map(([html]) => html.slice(0, 120)));
	assert.deepEqual(moving, []);
	await context.close();
});

test("A3: with a system's own colours a field still has an edge, and a mark is seen", async () => {
	for (const colorScheme of ["light", "dark"]) {
		const context = await newContext({ forcedColors: "active", colorScheme });
		const visit = await open(context);
		const { page } = visit;
		await scenes["form, everything wrong"](visit);
		const invisible = await page.evaluate(() => {
			const canvas = getComputedStyle(document.body).backgroundColor;
			return [...document.querySelectorAll("input, select, button")].filter((element) => element.checkVisibility())
				.filter((element) => {
					const { borderColor, borderStyle, backgroundColor } = getComputedStyle(element);
					return backgroundColor === canvas && (borderStyle === "none" || borderColor === canvas);
				}).map((element) => element.outerHTML.slice(0, 120));
		});
		assert.deepEqual(invisible, []);
		const background = () => page.evaluate(() => getComputedStyle(document.querySelector("[type=checkbox]")).backgroundColor);
		const checked = await background();
		await page.uncheck("[name=isBusiness]");
		assert.notEqual(await background(), checked);
		await context.close();
	}
});

test("P1: no cookie but the language that the buyer has chosen", async () => {
	const context = await newContext();
	const visit = await open(context);
	const { page } = visit;
	await scenes["form, a state and its tax"](visit);
	assert.deepEqual(await context.cookies(), []);
	await page.selectOption("[name=language]", "de");
	await page.waitForSelector("html[lang=de]");
	const [cookie, ...others] = await context.cookies();
	assert.deepEqual(others, []);
	assert.deepEqual([cookie.name, cookie.value, cookie.httpOnly], ["language", "de", true]);
	await context.close();
});

// weigh is the number of bytes in which the server sends a resource to a browser.
const weigh = (url, language) => new Promise((resolve, reject) => {
	const headers = { "Accept-Encoding": "gzip, deflate, br, zstd", "Accept-Language": language };
	get(url, { headers }, async (response) => {
		let size = 0;
		for await (const chunk of response) size += chunk.length;
		resolve(size);
	}).on("error", reject);
});

test("P1: what must come before the page can be used is small, in every language", async (t) => {
	const { checkoutUrl } = await newSession();
	const html = await (await fetch(checkoutUrl)).text();
	const all = (pattern) => [...html.matchAll(pattern)].map((match) => match[1]);
	const assets = all(/<(?:link rel="stylesheet" href|script type="module" src)="([^"]+)"/g);
	const tags = all(/<option value="[^"]+" lang="([^"]+)"/g);
	assert.ok(assets.length >= 2 && tags.length > 20);
	const critical = await Promise.all(tags.map(async (tag) => {
		const urls = [checkoutUrl, ...assets.map((path) => new URL(path, checkoutUrl).href)];
		const sizes = await Promise.all(urls.map((url) => weigh(url, tag)));
		return { tag, sizes, total: sizes.reduce((sum, size) => sum + size) };
	}));
	critical.sort((a, b) => a.total - b.total);
	for (const { tag, sizes, total } of [critical.at(0), critical.at(-1)]) {
		t.diagnostic(`from HTML, CSS and JS ${sizes.join(" + ")} = ${total} bytes in ${tag}`);
	}
	assert.ok(critical.at(-1).total <= 25_000);
});

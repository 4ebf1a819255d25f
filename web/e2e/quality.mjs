// Accessibility, privacy and size of every page in every state, against a running `crepe dev`. The ids are those of the page's
// requirements, which edge/page lists.
//
//   DEV_JSON=.crepe/dev.json node web/e2e/quality.mjs

import assert from "node:assert/strict";
import { get } from "node:http";
import { after, test } from "node:test";
import { fits, icons, overflow, violations } from "./checks.mjs";
import { scenes } from "./scenes.mjs";
import { browser, dev, newSession, sandbox, submit, Visit } from "./shop.mjs";

after(() => browser.close());

const widths = [1360, 390, 320];
const screens = widths.flatMap((width) => ["light", "dark"].map((colorScheme) => ({ width, colorScheme })));
const languages = ["en", "zh-CN", "ar"];

// These scenes have every component. axe checks them on every screen, and the others on one screen per language.
const everywhere = ["form, everything wrong", "form, a business of the Union", "order, paid", "sandbox, declined"];

// newContext opens a window with reduced motion, so that axe sees no colour in transition.
const newContext = (options) =>
	browser.newContext({ viewport: { width: 1360, height: 900 }, reducedMotion: "reduce", ...options });

// open opens a page that reports violations of the Content-Security-Policy on its console.
async function open(context) {
	const visit = new Visit(context, await context.newPage());
	await visit.page.addInitScript(() =>
		addEventListener("securitypolicyviolation", (event) =>
			console.error(`Content Security Policy: ${event.effectiveDirective} ${event.blockedURI}`)));
	return visit;
}

test("A1 A2 A3: axe reports no violation in any state, at any width, in both themes and directions", { concurrency: true }, (t) =>
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
					assert.deepEqual(await violations(page), [], `at ${width} in ${colorScheme}`);
				}
				assert.deepEqual(visit.complaints.filter((text) => text.includes("Content Security Policy")), []);
			});
			await page.goto("about:blank"); // aborts pending requests
			await page.unrouteAll();
		}
		await context.close();
	}))));

// grow doubles the font size and returns the elements whose content is cut off.
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

test("A3: text at twice the size is not cut off and causes no horizontal scrolling", async () => {
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

// look returns the style of the focused element with and without focus, and whether it is visible.
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

// tabTo presses Tab until an element has the focus. It checks at every stop that the focus is visible.
async function tabTo(page, selector) {
	for (let stops = 1; stops < 40; stops++) {
		await page.keyboard.press("Tab");
		const { html, focused, unfocused, inSight } = await look(page);
		assert.notEqual(focused, unfocused, `the focus is not visible on ${html}`);
		assert.ok(inSight, `something covers ${html}`);
		if (await page.evaluate((selector) => document.activeElement.matches(selector), selector)) return;
	}
	throw new Error(`Tab does not reach ${selector}`);
}

test("A2 P1: a purchase with the keyboard alone, without requests to other origins", async () => {
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

test("A3: no transitions with reduced motion", async () => {
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

test("A3: with forced colours fields have a border and check marks are visible", async () => {
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

test("A3: with forced colours focus has an outline, errors have a thick border, and icons have system colours", async () => {
	for (const colorScheme of ["light", "dark"]) {
		const context = await newContext({ forcedColors: "active", colorScheme });
		for (const name of ["form, everything wrong", "form, a business of the Union", "order, paid", "expired"]) {
			const visit = await open(context);
			await scenes[name](visit);
			const { count, foreign } = await icons(visit.page);
			assert.ok(count > 0, name);
			assert.deepEqual(foreign, [], `${name} in ${colorScheme}`);
			await visit.shot(`forced-${colorScheme}-${name}`);
			await visit.page.close();
		}
		const visit = await open(context);
		const { page } = visit;
		await scenes["form, everything wrong"](visit);
		const drawn = (selector) => page.evaluate((selector) => {
			const { borderTopWidth, outlineStyle, outlineWidth, outlineColor } = getComputedStyle(document.querySelector(selector));
			const { backgroundColor } = getComputedStyle(document.body); // the outline has a distance from the field
			return { borderTopWidth, outline: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 && outlineColor !== backgroundColor };
		}, selector);
		await page.keyboard.press("Tab"); // from now on the focus is visible
		for (const field of ["[name=email]", "[name=country]", "[name=isBusiness]", "[name=taxId]"]) {
			assert.equal((await drawn(field)).outline, false, `${field} without the focus`);
			await page.focus(field);
			assert.ok((await drawn(field)).outline, `the focus on ${field} is not visible in ${colorScheme}`);
			await page.evaluate(() => document.activeElement.blur());
		}
		assert.deepEqual([(await drawn("[name=email]")).borderTopWidth, (await drawn("[name=country]")).borderTopWidth], ["3px", "1px"]);
		await context.close();
	}
});

test("P1: the only cookie is the chosen language", async () => {
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

// weigh returns the compressed size of a resource in bytes.
const weigh = (url, language) => new Promise((resolve, reject) => {
	const headers = { "Accept-Encoding": "gzip, deflate, br, zstd", "Accept-Language": language };
	get(url, { headers }, async (response) => {
		let size = 0;
		for await (const chunk of response) size += chunk.length;
		resolve(size);
	}).on("error", reject);
});

test("P1: HTML, CSS and JavaScript are within 25 KB in every language", async (t) => {
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

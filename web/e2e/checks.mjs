// Checks of a page for accessibility and size.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

// violations returns axe's violations and incomplete checks, except for contrast, which axe cannot determine beside an icon;
// edge/page measures the colours of every theme.
export async function violations(page) {
	await page.evaluate(`if (!globalThis.axe) ${axe}`);
	const found = await page.evaluate(
		(rules) => axe.run(document, { runOnly: rules, resultTypes: ["violations", "incomplete"] }), rules,
	);
	return [...found.violations, ...found.incomplete.filter(({ id }) => id !== "color-contrast")].flatMap(({ id, nodes }) =>
		nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)}\n${failureSummary}`));
}

// overflow returns by how many pixels the page is wider than its window.
export const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

// small returns the targets under 24 pixels (WCAG 2.5.8), except links within a sentence. It measures them in the page's font size
// and in one of 1 px, so that the result does not depend on fonts.
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
			.map(([html, { width, height }]) => `${html} is ${width} × ${height}${sheets.length ? " with a font of 1 px" : ""}`);
	});
	document.adoptedStyleSheets = [];
	return missed;
});

// fits checks a page's width and the size of its targets.
export async function fits(page, width) {
	await page.setViewportSize({ width, height: 900 });
	assert.ok((await overflow(page)) <= 0, `${await overflow(page)} px too wide at ${width}`);
	assert.deepEqual(await small(page), [], `at ${width}`);
}

// icons returns the colours of the masked icons, and those that are no system colour.
export const icons = (page) => page.evaluate(() => {
	const probe = document.body.appendChild(document.createElement("i"));
	const system = ["CanvasText", "LinkText", "FieldText", "HighlightText"].map((name) => {
		probe.style.cssText = `forced-color-adjust: none; color: ${name}`;
		return getComputedStyle(probe).color;
	});
	probe.remove();
	const drawn = [...document.querySelectorAll("*")].flatMap((element) => ["::before", "::after"].map((part) => [element, part]))
		.map(([element, part]) => [`${element.className || element.tagName}${part}`, getComputedStyle(element, part)])
		.filter(([, { content, maskImage }]) => content !== "none" && maskImage !== "none")
		.map(([name, { backgroundColor }]) => [name, backgroundColor]);
	return { count: drawn.length, foreign: drawn.filter(([, color]) => !system.includes(color)) };
});

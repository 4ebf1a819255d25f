// Takes pictures of every page of a running `crepe dev`; make shots runs it. Each page is taken in the themes, widths and languages
// where it is most likely to break.
//
//   DEV_JSON=.crepe/dev.json SHOTS=web/testdata/shots [LOOK=branded] node web/e2e/shots.mjs

import { scenes } from "./scenes.mjs";
import { browser, newSession, Visit } from "./shop.mjs";

const widths = { desktop: 1360, mobile: 390, narrow: 320 };

// Settings for each scene: width, dark theme, language.
const pictures = process.env.LOOK
	? { "form, a state and its tax": ["desktop", "desktop dark", "mobile"], "order, paid": ["mobile dark"] }
	: {
			"form, empty": ["desktop", "mobile"],
			"form, a state and its tax": ["desktop", "desktop dark", "mobile", "mobile dark", "desktop zh-CN", "mobile zh-CN", "desktop ar", "mobile ar"],
			"form, a business of the Union": ["desktop", "mobile", "desktop de"],
			"form, everything wrong": ["desktop", "mobile dark", "narrow", "narrow ar"],
			"form, another address offered": ["mobile"],
			"form, busy": ["mobile"],
			"form, trying again": ["mobile", "desktop dark"],
			"form, about to expire": ["mobile"],
			"review": ["desktop", "mobile dark"],
			"review, edited": ["mobile"],
			"expired": ["desktop", "mobile dark"],
			"unknown": ["mobile"],
			"order, pending": ["desktop"],
			"order, on its way": ["mobile"],
			"order, paid": ["desktop", "mobile", "narrow dark", "desktop ar"],
			"receipt": ["desktop", "mobile dark", "narrow"],
			"receipt, a business of the Union": ["desktop", "mobile ar", "desktop de"],
			"order, not paid": ["mobile"],
			"order, canceled": ["mobile"],
			"sandbox": ["desktop", "mobile dark"],
			"sandbox, declined": ["narrow", "desktop"],
			"sandbox, the bank's question": ["mobile"],
		};

const name = (scene, setting) => [process.env.LOOK, scene, setting].filter(Boolean).join(" ").replace(/[^\w]+/g, "-");

for (const [scene, settings] of Object.entries(pictures)) {
	for (const setting of settings) {
		const [width, ...more] = setting.split(" ");
		const colorScheme = more.includes("dark") ? "dark" : "light";
		const locale = more.find((word) => word !== "dark") ?? "en";
		const context = await browser.newContext({ viewport: { width: widths[width], height: 900 }, colorScheme, locale, reducedMotion: "reduce" });
		const visit = new Visit(context, await context.newPage());
		await scenes[scene](visit);
		await visit.page.evaluate(() => document.activeElement?.blur());
		await visit.shot(name(scene, setting));
		await visit.close();
	}
}

// The picture in the project's README: a buyer in Germany at desktop width.
if (!process.env.LOOK) {
	const visit = await Visit.open((await newSession()).checkoutUrl, { reducedMotion: "reduce" });
	await visit.ready();
	await visit.page.fill("#email", "ada@fieldnotes.example");
	await visit.page.selectOption("#country", "DE");
	await visit.page.fill("#postcode", "10115");
	await visit.page.evaluate(() => document.activeElement.blur());
	await visit.shot("checkout");
	await visit.close();
}

await browser.close();

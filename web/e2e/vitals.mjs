// Load times of the form on a slow phone, against a running `crepe dev`: slow 4G (1.6 Mbit/s, 150 ms), a CPU slowed down four times,
// cold cache, including the WebAssembly core. The ids are those of the page's requirements, which edge/page lists.
//
//   DEV_JSON=.crepe/dev.json node web/e2e/vitals.mjs

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { browser, newSession, Visit } from "./shop.mjs";

after(() => browser.close());

// aim is the target on a quiet machine, bound the limit. Times depend on the machine: they fail beyond the limit only with
// HOLD_TIMES.
const holdTimes = Boolean(process.env.HOLD_TIMES);
const figures = {
	LCP: { aim: 1200, bound: 2500, unit: "ms", what: "largest contentful paint" },
	CLS: { aim: 0.02, bound: 0.05, unit: "", what: "cumulative layout shift" },
	TBT: { aim: 100, bound: 300, unit: "ms", what: "total blocking time" },
	core: { aim: 2500, bound: 8000, unit: "ms", what: "WebAssembly core ready" },
};

// watch records the browser's measurements. It runs in the page before any other script.
function watch() {
	globalThis.seen = { LCP: 0, CLS: 0, TBT: 0 };
	const observe = (type, note) =>
		new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true });
	observe("largest-contentful-paint", ({ startTime }) => (seen.LCP = startTime));
	observe("layout-shift", ({ value, hadRecentInput }) => (seen.CLS += hadRecentInput ? 0 : value));
	observe("longtask", ({ duration }) => (seen.TBT += duration - 50));
}

// load opens a new session's page under these conditions, and measures until one second after the core has loaded.
async function load(options) {
	const context = await browser.newContext(options);
	const visit = new Visit(context, await context.newPage());
	const { page } = visit;
	const devtools = await context.newCDPSession(page);
	await devtools.send("Network.enable");
	await devtools.send("Network.emulateNetworkConditions", {
		offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 0.75e6 / 8,
	});
	await devtools.send("Emulation.setCPUThrottlingRate", { rate: 4 });
	await page.addInitScript(watch);
	await page.goto((await newSession()).checkoutUrl);
	await visit.ready();
	const core = await page.evaluate(() => performance.now());
	await page.waitForTimeout(1000);
	const measured = await page.evaluate(() => seen);
	await context.close();
	return { ...measured, core };
}

const screens = {
	phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 3, isMobile: true, hasTouch: true },
	desktop: { viewport: { width: 1360, height: 900 } },
};

test("P2: the form loads soon, does not shift, and is responsive", async (t) => {
	for (const [screen, options] of Object.entries(screens)) {
		const runs = [];
		for (let i = 0; i < 3; i++) runs.push(await load(options));
		for (const [name, { aim, bound, unit, what }] of Object.entries(figures)) {
			const [best, median] = runs.map((run) => run[name]).sort((a, b) => a - b);
			const shown = (value) => `${Number(value.toFixed(name === "CLS" ? 3 : 0))} ${unit}`.trim();
			t.diagnostic(`${screen}: ${what} ${shown(median)}, aim ${shown(aim)}${median > aim ? ": missed" : ""}`);
			assert.ok(best <= bound || unit === "ms" && !holdTimes, `${screen}: ${what} ${shown(best)} at best, bound ${shown(bound)}`);
		}
	}
});

// Autofill by the browser, by extensions and by programs, against a running `crepe dev`. The ids are those of the page's
// requirements, which edge/page lists.
//
//   DEV_JSON=.crepe/dev.json node web/e2e/autofill.mjs

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { browser, createOrder, fill, newSession, sandbox, submit, Visit } from "./shop.mjs";

after(() => browser.close());

const paying = (page) => page.waitForURL((url) => url.href.startsWith(sandbox));

// texan is an address profile of Chromium. The page has fields for a part of it.
const texan = {
	NAME_FULL: "Ada Lovelace", EMAIL_ADDRESS: "ada@fieldnotes.example", ADDRESS_HOME_LINE1: "1 Main Street", ADDRESS_HOME_CITY: "Austin",
	ADDRESS_HOME_STATE: "TX", ADDRESS_HOME_ZIP: "78701", ADDRESS_HOME_COUNTRY: "US", COMPANY_NAME: "Fieldnotes",
};

// autofill fills in a profile as Chromium does when the buyer chooses it at a field.
async function autofill(page, selector, profile) {
	const protocol = await page.context().newCDPSession(page);
	await protocol.send("Autofill.enable");
	const { root } = await protocol.send("DOM.getDocument");
	const { nodeId } = await protocol.send("DOM.querySelector", { nodeId: root.nodeId, selector });
	const { node } = await protocol.send("DOM.describeNode", { nodeId });
	const fields = Object.entries(profile).map(([name, value]) => ({ name, value }));
	for (let tries = 0; ; tries++) {
		try {
			await page.click(selector);
			return await protocol.send("Autofill.trigger", { fieldId: node.backendNodeId, address: { fields } });
		} catch (error) {
			if (tries === 100 || !String(error).includes("Field not found")) throw error; // Chromium has not parsed the form yet
			await page.waitForTimeout(50);
		}
	}
}

const typed = (page) => page.evaluate(() => ["email", "country", "state", "postcode"].map((id) => document.getElementById(id).value));
const inAustin = ["ada@fieldnotes.example", "US", "US-TX", "78701"];

test("F9 F2: autofill at any field fills all of them in one tap, and the total follows", async () => {
	for (const field of ["#email", "#postcode"]) {
		const visit = await Visit.open((await newSession()).checkoutUrl);
		const { page } = visit;
		await visit.ready();
		if (field === "#postcode") await page.selectOption("#country", "DE");
		await autofill(page, field, texan);
		await page.waitForFunction((want) => document.querySelector("#state").value === want, "US-TX");
		assert.deepEqual(await typed(page), inAustin, field);
		assert.deepEqual([await visit.total(), await page.innerText(".total dt")], ["€28.69", "Total"]);
		await page.click(submit);
		await paying(page);
		assert.match(await page.innerText("main"), /28\.69/);
		await visit.close();
	}
});

// set assigns values as a program does, and dispatches the given events after each.
const set = (page, values, ...kinds) => page.evaluate(({ values, kinds }) => {
	for (const [id, value] of Object.entries(values)) {
		document.getElementById(id).value = value;
		for (const kind of kinds) document.getElementById(id).dispatchEvent(new Event(kind, { bubbles: true }));
	}
}, { values, kinds });

const address = { email: "ada@fieldnotes.example", country: "US", state: "US-TX", postcode: "78701" };

test("F9: an extension that reports values by the event change alone", async () => {
	const visit = await Visit.open((await newSession()).checkoutUrl);
	const { page } = visit;
	await visit.ready();
	await set(page, address, "change");
	assert.deepEqual(await typed(page), inAustin);
	assert.equal(await visit.total(), "€28.69");
	await page.click(submit);
	await paying(page);
	assert.match(await page.innerText("main"), /28\.69/);
	await visit.close();
});

test("F9 V7: after values without any event the buyer confirms the new total", async () => {
	const visit = await Visit.open((await newSession()).checkoutUrl);
	const { page } = visit;
	await visit.ready();
	await set(page, address);
	assert.deepEqual([await visit.total(), await page.innerText(".total dt")], ["€27.00", "Total before tax"]);
	await page.click(submit);
	await page.waitForSelector("#check:visible");
	assert.deepEqual((await page.innerText("#check [role=alert]")).split(/\n+/), ["Check the total", "€28.69 · Includes €1.69 tax"]);
	assert.equal(await visit.total(), "€28.69");
	assert.equal(visit.posts(createOrder), 0);
	await page.selectOption("#state", "US-NY");
	assert.equal(await page.isVisible("#check"), false); // the buyer sees this total
	await page.click(submit);
	await paying(page);
	assert.equal(visit.posts(createOrder), 1);
	await visit.close();
});

test("V7: without the core the total is asked for before the order, and confirmed if the page did not show it", async () => {
	const visit = await Visit.open((await newSession()).checkoutUrl);
	const { page } = visit;
	await page.route(/\.wasm$/, (route) => route.abort());
	await page.reload();
	await fill(page);
	await page.evaluate((submit) => document.querySelector(submit).click(), submit); // sooner than the page asks
	await page.waitForSelector("#check:visible");
	assert.match(await page.innerText("#check"), /€32\.13 · Includes €5\.13 tax/);
	assert.equal(visit.posts(createOrder), 0);
	await page.click(submit);
	await paying(page);
	assert.match(await page.innerText("main"), /32\.13/);
	await visit.close();
});

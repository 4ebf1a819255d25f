// Buys in a shop that is built with @waffo/pancake-nextjs, against a running `crepe dev`; edge/e2e/testdata/nextjs has the shop.
//
//   DEV_JSON=.crepe/dev.json SHOP_URL=http://127.0.0.1:3000 node web/e2e/nextjs.mjs

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { browser, dev, fill, pay, submit, Visit } from "./shop.mjs";

const shop = process.env.SHOP_URL;
const hosted = `${dev.baseUrl}/store/${dev.storeSlug}/checkout/cs_`;
const thanks = `${shop}/?thanks`;
after(() => browser.close());

const open = (customer) => Visit.open(`${shop}/?customer=${customer}`);
const press = (page, name) => page.getByRole("button", { name, exact: true }).click();

// close ends a visit, which must have had no warning and no error in the shop's page.
function close(visit) {
	assert.deepEqual(visit.complaints, []);
	return visit.close();
}

// popup presses a button and returns the tab that it opens, with the hosted page.
async function popup({ page, context }, name) {
	const opened = context.waitForEvent("page");
	await press(page, name);
	const tab = await opened;
	tab.setDefaultTimeout(600_000);
	await tab.waitForURL(`${hosted}*`);
	return tab;
}

const rows = (page, name) => page.getByRole("list", { name, exact: true }).getByRole("listitem").allInnerTexts();

// reads refreshes a list until it has the rows.
async function reads({ page }, name, want) {
	let got;
	for (let tries = 0; tries < 300; tries++) {
		await press(page, `Refresh ${name}`);
		await page.waitForTimeout(100);
		got = await rows(page, name);
		if (got.length === want.length && got.every((row, i) => row === want[i])) return;
	}
	assert.deepEqual(got, want);
}

const product = dev.products[0].name;
const byLink = `${product}, completed, link@fieldnotes.example, 32.13 EUR succeeded`;
const asGuest = `${product}, completed, ada@fieldnotes.example, 22.61 EUR succeeded`;
const withAccount = `${product}, completed, ada@fieldnotes.example, 32.13 EUR succeeded`;

test("link: the button opens the product's link in a tab, with the form filled in", async () => {
	const visit = await open("user-17");
	const tab = await popup(visit, "Buy by link");
	assert.equal(await tab.inputValue("#email"), "link@fieldnotes.example");
	await tab.click(submit);
	await pay(tab);
	await tab.waitForURL(thanks);
	await close(visit);
});

test("anonymous: the button's server action opens a session with its own price, and the buyer returns to the shop", async () => {
	const visit = await open("user-17");
	const { page } = visit;
	await press(page, "Buy as a guest");
	await page.waitForURL(`${hosted}*`);
	await fill(page);
	await page.click(submit);
	await pay(page);
	await page.waitForURL(thanks);
	await close(visit);
});

test("authenticated: the buyer pays in a tab, and the customer's hooks show the order, the payment and the refund ticket", async () => {
	const visit = await open("user-17");
	const { page } = visit;
	await reads(visit, "My orders", []);
	const tab = await popup(visit, "Buy with my account");
	assert.ok(!tab.url().includes("token="), "the token is still in the URL");
	await tab.click(submit);
	await pay(tab);
	await tab.waitForURL(thanks);
	await tab.close();
	await reads(visit, "My orders", [withAccount]);
	await reads(visit, "My payments", ["32.13 EUR succeeded"]);
	await press(page, "Ask for a refund");
	await page.getByText("pending", { exact: true }).waitFor();
	await reads(visit, "My refunds", ["pending, 10.00, It is not what I expected."]);
	await visit.shot("nextjs");
	await close(visit);
});

test("another customer's hooks show nothing of it", async () => {
	const visit = await open("user-18");
	for (const name of ["My orders", "My payments", "My refunds"]) await reads(visit, name, []);
	await close(visit);
});

test("the merchant's hooks show the three orders", async () => {
	const visit = await Visit.open(shop);
	await reads(visit, "Orders", [withAccount, asGuest, byLink]);
	await reads(visit, "Sales", ["3 orders, 86.87 EUR, 2 customers"]);
	await close(visit);
});

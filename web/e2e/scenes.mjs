// Every page in every state, for quality.mjs and shots.mjs.

import { createOrder, dev, newMerchantSession, newSession, sandbox, submit } from "./shop.mjs";

const email = "ada@fieldnotes.example";
const known = { buyerEmail: email, billingDetail: { country: "US", isBusiness: true, businessName: "Fieldnotes", state: "TX" } };
const field = (name) => `form [name=${name}]`;

// open shows the form of a new session and waits for the core.
async function open(visit, more) {
	await visit.page.goto((await newSession(more)).checkoutUrl);
	await visit.ready();
}

// filled shows a complete form of a buyer in Germany.
async function filled(visit) {
	await open(visit);
	await visit.page.fill(field("email"), email);
	await visit.page.selectOption(field("country"), "DE");
}

// answered submits the form and answers create-order with a status and a body.
async function answered(visit, status, body, shown) {
	await filled(visit);
	await visit.page.route(`**/${createOrder}`, (route) => route.fulfill({ status, json: { data: null, ...body } }));
	await visit.page.click(submit);
	await visit.page.waitForSelector(shown);
}

// submitForm sends the form without the script, and confirms the total that the answer shows. It returns the payment page's URL.
async function submitForm(checkoutUrl, details) {
	const send = (more) =>
		fetch(checkoutUrl, { method: "POST", body: new URLSearchParams({ ...details, ...more }), redirect: "manual" });
	const [, confirm] = (await (await send({})).text()).match(/name="confirm" value="([^"]+)"/);
	return new URL((await send({ confirm })).headers.get("Location"), checkoutUrl).href;
}

// order creates an order with the form.
async function order(more) {
	const { checkoutUrl } = await newSession(more);
	return { checkoutUrl, payUrl: await submitForm(checkoutUrl, { email, country: "DE" }) };
}

// receipt pays for an order and follows the link of the completion page.
async function receipt(visit, details) {
	const { checkoutUrl } = await newSession();
	await pay(await submitForm(checkoutUrl, { email, ...details }), "succeeds");
	await standing(visit, checkoutUrl, "paid");
	await visit.page.click("a[href$='/receipt']");
	await visit.page.waitForSelector("table");
}

// pay ends a payment with an outcome of the sandbox.
const pay = (payUrl, outcome) =>
	fetch(payUrl, { method: "POST", body: new URLSearchParams({ outcome }), redirect: "manual" });

// trigger makes the sandbox report an event.
async function trigger(event, checkoutUrl) {
	const page = await (await fetch(`${checkoutUrl}/complete`)).text();
	const body = JSON.stringify({ event, order: page.match(/ORD_\w+/)[0] });
	const answer = await fetch(`${sandbox}trigger`, { method: "POST", body, headers: { "Content-Type": "application/json" } });
	if (!answer.ok) throw new Error(`${event}: ${await answer.text()}`);
}

// standing waits for an order's status, after the provider's webhook, and shows the status page.
async function standing(visit, checkoutUrl, expected) {
	for (let tries = 0; tries < 6000; tries++) {
		const answer = await fetch(`${checkoutUrl}/complete`, { method: "HEAD" });
		if (answer.headers.get("X-Order-Standing") === expected) return visit.page.goto(`${checkoutUrl}/complete`);
		await visit.page.waitForTimeout(50);
	}
	throw new Error(`the order did not become ${expected} in time`);
}

// Each scene brings a visit's page into a state.
const steps = {
	"form, empty": (visit) => open(visit),

	async "form, a state and its tax"(visit) {
		await open(visit);
		await visit.page.selectOption(field("country"), "US");
		await visit.page.selectOption(field("state"), "US-TX");
	},

	async "form, a business of the Union"(visit) {
		await filled(visit);
		await visit.page.check(field("isBusiness"));
		await visit.page.fill(field("businessName"), "Fieldnotes GmbH");
		await visit.page.fill(field("taxId"), "DE136695976");
		await visit.page.press(field("taxId"), "Tab");
	},

	async "form, everything wrong"(visit) {
		await open(visit);
		await visit.page.fill(field("email"), "ada@");
		await visit.page.selectOption(field("country"), "IT");
		await visit.page.fill(field("postcode"), "1");
		await visit.page.check(field("isBusiness"));
		await visit.page.fill(field("taxId"), "1");
		await visit.page.click(submit);
		await visit.page.waitForSelector("[aria-invalid]");
	},

	async "form, another address offered"(visit) {
		await open(visit);
		await visit.page.fill(field("email"), "ada@gmial.com");
		await visit.page.press(field("email"), "Tab");
		await visit.page.waitForSelector(`${field("email")}[aria-describedby]`);
	},

	async "form, a total to check"(visit) {
		await open(visit);
		await visit.page.evaluate(() => (document.querySelector("[name=email]").value = "ada@fieldnotes.example"));
		await visit.page.evaluate(() => (document.querySelector("[name=country]").value = "DE"));
		await visit.page.click(submit);
		await visit.page.waitForSelector("#check:visible");
	},

	async "form, busy"(visit) {
		await filled(visit);
		await visit.page.route(`**/${createOrder}`, () => {}); // no answer
		await visit.page.click(submit);
		await visit.page.waitForSelector("[aria-busy]");
	},

	"form, trying again": (visit) =>
		answered(visit, 503, { errors: [{ message: "busy", layer: "order" }] }, "[role=alert]:visible"),

	"form, in a queue": (visit) =>
		answered(visit, 503, { errors: [{ message: "busy", layer: "order", code: "provider-busy" }] }, "[role=alert]:visible"),

	"form, the token has ended": (visit) =>
		answered(visit, 401, { errors: [{ message: "no", layer: "auth", code: "authentication-failed" }] }, "h1:focus"),

	async "form, about to expire"(visit) {
		await visit.page.goto((await newMerchantSession({ expiresInSeconds: 100 })).checkoutUrl);
		await visit.page.waitForSelector("[role=alert]:visible");
	},

	"review": (visit) => open(visit, known),

	async "review, edited"(visit) {
		await open(visit, known);
		await visit.page.click("form[method=post] summary");
	},

	async "form, before its script"(visit) {
		await visit.page.route(/\.js$/, (route) => route.abort());
		await visit.page.goto((await newSession()).checkoutUrl);
	},

	async "form, refused without a script"(visit) {
		await visit.page.route(/\.js$/, (route) => route.abort());
		await visit.page.goto((await newSession()).checkoutUrl);
		await visit.page.selectOption(field("country"), "CA");
		await visit.page.click(submit);
		await visit.page.waitForSelector("[aria-invalid]");
	},

	async "form, a total to confirm without a script"(visit) {
		await visit.page.route(/\.js$/, (route) => route.abort());
		await visit.page.goto((await newSession()).checkoutUrl);
		await visit.page.fill(field("email"), email);
		await visit.page.selectOption(field("country"), "CA");
		await visit.page.selectOption("[data-country=CA] select", "CA-QC");
		await visit.page.click(submit);
		await visit.page.waitForSelector(".review");
	},

	async "expired"(visit) {
		const { checkoutUrl } = await newMerchantSession({ expiresInSeconds: 1 });
		await visit.page.waitForTimeout(1100);
		await visit.page.goto(checkoutUrl);
	},

	"unknown": (visit) => visit.page.goto(`${dev.baseUrl}/store/${dev.storeSlug}/checkout/cs_00000000-0000-4000-8000-000000000000`),

	async "order, pending"(visit) {
		await standing(visit, (await order()).checkoutUrl, "pending");
	},

	async "order, on its way"(visit) {
		const { checkoutUrl, payUrl } = await order();
		await pay(payUrl, "later");
		const unchanged = { headers: { "X-Order-Standing": "processing" } }; // keeps the page from reloading
		await visit.page.route(`${checkoutUrl}/complete`, (route) =>
			route.request().method() === "HEAD" ? route.fulfill(unchanged) : route.continue());
		await standing(visit, checkoutUrl, "processing");
	},

	async "order, paid"(visit) {
		const { checkoutUrl, payUrl } = await order();
		await pay(payUrl, "succeeds");
		await standing(visit, checkoutUrl, "paid");
	},

	"receipt": (visit) => receipt(visit, { country: "DE", postcode: "10115" }),

	"receipt, a business of the Union": (visit) =>
		receipt(visit, { country: "DE", isBusiness: "on", businessName: "Fieldnotes GmbH", taxId: "DE136695976" }),

	async "order, not paid"(visit) {
		const { checkoutUrl } = await order();
		await trigger("checkout.session.async_payment_failed", checkoutUrl);
		await standing(visit, checkoutUrl, "unpaid");
	},

	async "order, canceled"(visit) {
		const { checkoutUrl } = await order();
		await trigger("checkout.session.expired", checkoutUrl);
		await standing(visit, checkoutUrl, "canceled");
	},

	async "sandbox"(visit) {
		await visit.page.goto((await order()).payUrl);
	},

	async "sandbox, declined"(visit) {
		const { payUrl } = await order();
		await pay(payUrl, "declined");
		await visit.page.goto(payUrl);
	},

	async "sandbox, the bank's question"(visit) {
		const { payUrl } = await order();
		await pay(payUrl, "challenge");
		await visit.page.goto(`${payUrl}/challenge`);
	},

	async "sandbox, over"(visit) {
		const { payUrl } = await order();
		await pay(payUrl, "succeeds");
		await visit.page.goto(payUrl);
	},

	"sandbox, log": (visit) => visit.page.goto(`${sandbox}log`),
	"merchant, shop": (visit) => visit.page.goto(`${dev.baseUrl}/demo/shop`),
	"merchant, thanks": (visit) => visit.page.goto(`${dev.baseUrl}/demo/thank-you`),
};

// styled waits for the stylesheets: a script sees a page before they have been loaded.
const styled = (page) =>
	page.waitForFunction(() => [...document.querySelectorAll("link[rel=stylesheet]")].every(({ sheet }) => sheet));

// scenes show a page in a state, with its stylesheets.
export const scenes = Object.fromEntries(Object.entries(steps).map(([name, scene]) => [name, async (visit) => {
	await scene(visit);
	await styled(visit.page);
}]));

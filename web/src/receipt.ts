// The receipt beside the form, with the same lines as the server renders. The core computes tax and total; without it the API does.

import { buyer, call } from "./api.ts";
import type { Core, Discount, Quote } from "./core/core.ts";
import { billing, control } from "./fields.ts";
import { byId, data, element, text, textIn, written } from "./page.ts";
import { ratesAt } from "./rates.ts";

const price = (amount: string) => written(data.money, amount);
const minus = document.dir === "rtl" ? "\u200e\u2212" : "\u2212";
const percent = (rate: number) => written(data.percent, String(rate));

let asked = 0; // number of the latest question to the API

// writeTotal computes the tax with the core and shows it, or the price without tax while the territory is unknown.
export function writeTotal(core: Core, discount?: Discount): void {
	const detail = billing();
	asked++; // an answer that is still to come is of an older question
	const rates = ratesAt(detail.state || detail.country, () => writeTotal(core, discount));
	if (rates === undefined) return writeUntaxed();
	const sale = { ...data.sale, rates, ...(discount && { discount }) };
	for (const of of [detail, consumer()]) {
		const answer = core.quote(sale, of);
		if ("data" in answer) return write(answer.data, of);
	}
	writeUntaxed();
}

// consumer returns the billing detail of a consumer in the same territory, for the tax to show while the rest is invalid.
export function consumer() {
	const { country, state = "" } = billing();
	return { country, state, isBusiness: false };
}

// askTotal gets the total from the API once the buyer has stopped typing. Only the answer to the latest call counts.
export function askTotal(hear: (refusal: unknown) => void): void {
	const question = ++asked;
	setTimeout(async () => {
		if (question !== asked) return;
		let refusal: unknown;
		// Without a country there is nothing to ask.
		const show = control.country.value === "" ? writeUntaxed : await ask(billing()).catch((error: unknown) => {
			refusal = error;
			return ask(consumer());
		}).catch(() => writeUntaxed);
		if (question !== asked) return;
		show();
		hear(refusal);
	}, 300);
}

// ask quotes a billing detail, and returns the function that shows the quote.
async function ask(billingDetail: object): Promise<() => void> {
	const quote = await call<Quote>("checkout/quote", buyer, { billingDetail, buyerEmail: control.email.value });
	return () => write(quote, billingDetail);
}

// requote makes the page show the total of the form as it is now. It asks the API, unless the page shows that total already and it has
// not changed. The answer of a store's rules can change at any time.
export async function requote(hasChanged = Boolean(data.rules)): Promise<void> {
	if (!hasChanged && quoted === JSON.stringify(billing())) return;
	const question = ++asked;
	const show = await ask(billing());
	if (question === asked) show();
}

// totalShown returns the total on the page with its label.
export const totalShown = (): string => document.querySelector(".total")!.textContent!;

let quoted = ""; // the billing detail of the tax on the page, "" while there is none
let total = ""; // with that tax

// expectedTotal returns the total on the page as the API writes it; undefined while there is none.
export const expectedTotal = (): string | undefined => total || undefined;

function write(quote: Quote, detail: object): void {
	quoted = JSON.stringify(detail);
	total = quote.total;
	const lines = quote.components.map((part) => {
		const share = part.basePercent === 100 ? "tax.share" : "tax.share-of";
		const region = regionName(part.jurisdiction);
		const name = textIn(part.jurisdiction.slice(0, 2), `tax.${part.tax}`);
		return taxLine(name, text(share, { rate: percent(part.ratePercent), base: percent(part.basePercent), place: region }), price(part.amount));
	});
	const shown = price(quote.total);
	const tax = price(quote.taxAmount);
	const small = lines.length > 0 ? text("total.tax", { tax }) : textIn(control.country.value, quote.reason);
	if (lines.length === 0) lines.push(taxLine(text("tax"), small, tax));
	replace(text("total"), shown, small, price(quote.subtotal), lines, text(`${quote.reason}.note`), quote.discount);
	announce(text("total.includes", { total: shown, tax }));
}

function writeUntaxed(): void {
	quoted = total = "";
	const amount = price(data.sale.price.amount);
	const line = taxLine(text("tax"), text("tax.pending"), "");
	replace(text("total.before"), amount, text("total.pending"), amount, [line], "");
	announce("");
}

function replace(label: string, sum: string, small: string, subtotal: string, lines: Node[], note: string, discount?: Discount): void {
	for (const target of document.querySelectorAll("[data-label]")) target.textContent = label;
	for (const target of document.querySelectorAll("[data-total]")) target.textContent = sum;
	for (const target of document.querySelectorAll("[data-includes]")) target.textContent = small;
	byId("subtotal").textContent = subtotal;
	for (const target of document.querySelectorAll("[data-note]")) target.textContent = note;
	for (const old of document.querySelectorAll(".tax, .discount")) old.remove();
	if (discount) byId("subtotal").parentElement!.before(discountLine(discount));
	document.querySelector(".total")!.before(...lines);
}

function discountLine({ label, amount }: Discount): HTMLElement {
	return element("div", { className: "discount" }, element("dt", { dir: "auto" }, label), element("dd", {}, minus + price(amount)));
}

function taxLine(name: string, share: string, amount: string): HTMLElement {
	const label = element("dt", {}, name + " ");
	if (share) label.append(element("small", {}, share));
	return element("div", { className: "tax" }, label, element("dd", {}, amount));
}

// regionName returns the name of "DE" or "US-TX" from the form's lists.
export function regionName(jurisdiction: string): string {
	const option = document.querySelector(`option[value="${CSS.escape(jurisdiction)}"]`);
	return option?.textContent ?? "";
}

// announce updates the live region for screen readers once the buyer has stopped typing, and not twice with the same text. What was to
// be said before is not said any more.
const status = byId("status");
let announcement = 0;
export function announce(said: string): void {
	clearTimeout(announcement);
	announcement = setTimeout(() => {
		if (status.textContent !== said) status.textContent = said;
	}, 500);
}

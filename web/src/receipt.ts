// The receipt beside the form, with the same lines as the server renders. The core computes tax and total; without it the API does.

import { buyer, call } from "./api.ts";
import type { Core, Quote } from "./core/core.ts";
import { billing } from "./fields.ts";
import { byId, data, element, text, textIn, written } from "./page.ts";
import { ratesAt } from "./rates.ts";

const price = (amount: string) => written(data.money, amount);
const percent = (rate: number) => written(data.percent, String(rate));

// writeTotal computes the tax with the core and shows it, or the price without tax while the territory is unknown.
export function writeTotal(core: Core): void {
	const detail = billing();
	const rates = ratesAt(detail.state || detail.country, () => writeTotal(core));
	if (rates === undefined) return writeUntaxed();
	const sale = { ...data.sale, rates };
	let answer = core.quote(sale, detail);
	if ("errors" in answer) answer = core.quote(sale, consumer());
	if ("data" in answer) write(answer.data);
	else writeUntaxed();
}

// consumer returns the billing detail of a consumer in the same territory, for the tax to show while the rest is invalid.
function consumer() {
	const { country, state = "" } = billing();
	return { country, state, isBusiness: false };
}

let asked = 0;

// askTotal gets the total from the API once the buyer has stopped typing. Only the answer to the latest call counts.
export function askTotal(): void {
	const question = ++asked;
	setTimeout(async () => {
		if (question !== asked) return;
		const ask = (billingDetail: object) => call<Quote>("checkout/quote", buyer, { billingDetail });
		const answer = await ask(billing()).catch(() => ask(consumer())).catch(() => null);
		if (question !== asked) return;
		if (answer) write(answer);
		else writeUntaxed();
	}, 300);
}

function write(quote: Quote): void {
	const lines = quote.components.map((part) => {
		const share = part.basePercent === 100 ? "tax.share" : "tax.share-of";
		const region = regionName(part.jurisdiction);
		const name = textIn(part.jurisdiction.slice(0, 2), `tax.${part.tax}`);
		return taxLine(name, text(share, { rate: percent(part.ratePercent), base: percent(part.basePercent), place: region }), price(part.amount));
	});
	const total = price(quote.total);
	const tax = price(quote.taxAmount);
	const small = lines.length > 0 ? text("total.tax", { tax }) : text(quote.reason);
	if (lines.length === 0) lines.push(taxLine(text("tax"), text(quote.reason), tax));
	replace(text("total.due"), total, small, price(quote.subtotal), lines, text(`${quote.reason}.note`));
	announce(text("total.includes", { total, tax }));
}

function writeUntaxed(): void {
	const amount = price(data.sale.price.amount);
	const line = taxLine(text("tax"), text("tax.pending"), "");
	replace(text("total.before"), amount, text("total.pending"), amount, [line], "");
	announce("");
}

function replace(label: string, total: string, small: string, subtotal: string, lines: Node[], note: string): void {
	for (const target of document.querySelectorAll("[data-label]")) target.textContent = label;
	for (const target of document.querySelectorAll("[data-total]")) target.textContent = total;
	for (const target of document.querySelectorAll("[data-includes]")) target.textContent = small;
	byId("subtotal").textContent = subtotal;
	byId("note").textContent = note;
	for (const old of document.querySelectorAll(".tax")) old.remove();
	document.querySelector(".total")!.before(...lines);
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

// announce updates the live region for screen readers once the buyer has stopped typing, and not twice with the same text.
const status = byId("status");
let announcement = 0;
function announce(said: string): void {
	clearTimeout(announcement);
	announcement = setTimeout(() => {
		if (status.textContent !== said) status.textContent = said;
	}, 500);
}

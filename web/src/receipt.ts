// The receipt beside the form: tax and total as the core computes them, in the lines that the server writes too.

import type { Core, Quote } from "./core/core.ts";
import { billing } from "./fields.ts";
import { byId, data, element, text } from "./page.ts";
import { ratesAt } from "./rates.ts";

const money = new Intl.NumberFormat("en", {
	style: "currency",
	currency: data.sale.price.currency,
	minimumFractionDigits: data.digits,
	maximumFractionDigits: data.digits,
});
const price = (amount: string) => money.format(amount as Intl.StringNumericLiteral);

// writeTotal computes the total anew and writes it. Where the place is not known yet, there is none.
export function writeTotal(core: Core): void {
	const detail = billing();
	const rates = ratesAt(detail.state || detail.country, () => writeTotal(core));
	if (rates === undefined) return writeUntaxed();
	const sale = { ...data.sale, rates };
	let answer = core.quote(sale, detail);
	if ("errors" in answer) {
		// The rest of the detail may still be under way: until it is sound, the buyer pays what a consumer there pays.
		const { country, state = "" } = detail;
		answer = core.quote(sale, { country, state, isBusiness: false });
	}
	if ("data" in answer) write(answer.data);
	else writeUntaxed();
}

function write(quote: Quote): void {
	const lines = quote.components.map((part) => {
		const share = part.base === "100" ? "tax.share" : "tax.share-of";
		const place = placeName(part.jurisdiction);
		return taxLine(part.name, text(share, { rate: part.rate, base: part.base, place }), price(part.amount));
	});
	if (lines.length === 0) lines.push(taxLine(text("tax"), text(quote.reason), price(quote.tax)));
	const total = price(quote.total);
	replace(text("total.due"), total, price(quote.subtotal), lines, text(`${quote.reason}.note`));
	announce(text("total.includes", { total, tax: price(quote.tax) }));
}

function writeUntaxed(): void {
	const amount = price(data.sale.price.amount);
	replace(text("total.before"), amount, amount, [taxLine(text("tax"), text("tax.pending"), "")], "");
	announce("");
}

function replace(label: string, total: string, subtotal: string, lines: Node[], note: string): void {
	for (const place of document.querySelectorAll("[data-label]")) place.textContent = label;
	for (const place of document.querySelectorAll("[data-total]")) place.textContent = total;
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

// placeName reads the name of "DE" or "US-TX" from the list that has it.
function placeName(jurisdiction: string): string {
	const option = document.querySelector(`option[value="${CSS.escape(jurisdiction)}"]`);
	return option?.textContent ?? "";
}

// announce tells a screen reader, once the buyer has stopped typing, and not twice the same.
const status = byId("status");
let announcement = 0;
function announce(said: string): void {
	clearTimeout(announcement);
	announcement = setTimeout(() => {
		if (status.textContent !== said) status.textContent = said;
	}, 500);
}

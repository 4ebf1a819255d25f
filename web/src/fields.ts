// The fields of the form: what they hold, which of them the chosen country has, and the sentence at each wrong one.

import type { Billing } from "./core/core.ts";
import { byId, element, text, textIn } from "./page.ts";

// Their order is that of the page.
export const fields = ["email", "country", "state", "postcode", "businessName", "taxId"] as const;
export type Field = (typeof fields)[number];

export const form = document.forms[0]!;
export const control = Object.fromEntries(fields.map((field) => [field, byId(field)])) as Record<
	Field,
	HTMLInputElement | HTMLSelectElement
>;
const business = byId<HTMLInputElement>("isBusiness");
const state = control.state as HTMLSelectElement;
const stateGroups = [...state.querySelectorAll("optgroup")];

// billing is the billing detail in the form, with the fields that are to be seen and no others.
export function billing(): Billing {
	const detail: Billing = { country: control.country.value, isBusiness: business.checked };
	const has = marks();
	if ("state" in has) detail.state = state.value;
	if (!("noPostcode" in has)) detail.postcode = control.postcode.value;
	if (detail.isBusiness) {
		detail.businessName = control.businessName.value;
		if ("vat" in has) detail.taxId = control.taxId.value;
	}
	return detail;
}

// marks says which fields the chosen country has. The style sheet reads the same marks.
function marks(): DOMStringMap {
	return (control.country as HTMLSelectElement).selectedOptions[0]?.dataset ?? {};
}

// adapt makes the form the chosen country's. Everything but the list of states and the names of two fields is done by the
// style sheet. A state of another country is dropped; one that autofill has set already stays.
export function adapt(): void {
	const country = control.country.value;
	const kept = state.value.startsWith(country + "-") ? state.value : "";
	for (const group of stateGroups) {
		if (group.dataset["country"] === country) state.append(group);
		else group.remove();
	}
	state.value = kept;
	for (const field of ["state", "postcode"] as const) {
		form.querySelector(`label[for=${field}]`)!.textContent = textIn(country, field);
	}
}

// faulty says whether a sentence stands at the field.
export function faulty(field: Field): boolean {
	return control[field].ariaInvalid === "true";
}

// setFault puts the sentence for a problem's code at a field, or takes it away. The field refers to the sentence only
// while it is there.
export function setFault(field: Field, code: string | undefined): void {
	const input = control[field];
	const id = `${field}-error`;
	document.getElementById(id)?.remove();
	if (!code) {
		input.removeAttribute("aria-invalid");
		input.removeAttribute("aria-describedby");
		return;
	}
	const said = textIn(control.country.value, code);
	input.parentElement!.append(element("p", { className: "error", id }, said));
	input.setAttribute("aria-invalid", "true");
	input.setAttribute("aria-describedby", id);
}

// setGood says at a field that it is well, or takes that back.
export function setGood(field: Field, said: string): void {
	const id = `${field}-good`;
	const old = document.getElementById(id);
	if (old?.textContent === said) return;
	old?.remove();
	if (said) control[field].parentElement!.append(element("p", { className: "good", id }, said));
}

// report puts a sentence at every wrong field and a list of them above the form, and takes the buyer there.
export function report(wrong: ReadonlyMap<Field, string>): void {
	const items = fields.filter((field) => wrong.has(field)).map((field) => {
		const said = textIn(control.country.value, wrong.get(field)!);
		return element("li", {}, element("a", { href: `#${field}` }, said));
	});
	for (const field of fields) setFault(field, wrong.get(field));
	notify(count(items.length), element("ul", {}, ...items));
	document.title = text("error", { title });
}

// recheck renews the sentences that stand, and the list above the form with them.
export function recheck(wrong: ReadonlyMap<Field, string>): void {
	for (const field of fields) if (faulty(field)) setFault(field, wrong.get(field));
	const links = [...notice.querySelectorAll("a")];
	if (links.length === 0) return;
	const left = links.filter((link) => faulty(link.hash.slice(1) as Field));
	for (const link of links) if (!left.includes(link)) link.parentElement!.remove();
	if (left.length > 0) notice.querySelector("h2")!.textContent = count(left.length);
	else clear();
}

function count(n: number): string {
	return n === 1 ? text("fields.one") : text("fields.many", { n: String(n) });
}

const title = document.title.replace(/^Error: /, "");
const notice = byId("notice");

// notify says above the form what stands in the way, and takes the buyer there.
export function notify(heading: string, ...rest: Node[]): void {
	notice.replaceChildren(element("div", { role: "alert" }, element("h2", {}, heading), ...rest));
	notice.hidden = false;
	notice.focus();
}

// clear takes the notice away.
export function clear(): void {
	notice.hidden = true;
	notice.replaceChildren();
	document.title = title;
}

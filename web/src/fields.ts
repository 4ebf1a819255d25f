// The fields of the form: what they hold, which of them the chosen country has, and what is said at each.

import type { Billing } from "./core/core.ts";
import { byId, element, text, textIn } from "./page.ts";

// Their order is that of the page.
export const fields = ["email", "country", "state", "postcode", "businessName", "taxId"] as const;
export type Field = (typeof fields)[number];

export const form = document.querySelector<HTMLFormElement>("form[novalidate]")!;
export const control = Object.fromEntries(fields.map((field) => [field, byId(field)])) as Record<
	Field,
	HTMLInputElement | HTMLSelectElement
>;
export const isBusiness = byId<HTMLInputElement>("isBusiness");
const state = control.state as HTMLSelectElement;
const stateGroups = [...state.querySelectorAll("optgroup")];

// edit holds the fields of a buyer whose details are known; it is closed until something is to be typed.
const edit = document.querySelector<HTMLDetailsElement>("#edit");

// open brings the fields forward.
export function open(): void {
	if (edit) edit.open = true;
}

edit?.addEventListener("toggle", () => {
	if (edit.open && !form.querySelector(".fields :focus, #notice:focus")) control.email.focus(); // what had the focus is hidden
});

// billing is the billing detail in the form, with the fields that are to be seen and no others.
export function billing(): Billing {
	const detail: Billing = { country: control.country.value, isBusiness: isBusiness.checked };
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

// adapt makes the form the chosen country's. Everything but the list of states, the names of two fields and the keypad is
// done by the style sheet. A state of another country is dropped; one that autofill has set already stays.
export function adapt(): void {
	const country = control.country.value;
	const kept = state.value.startsWith(country + "-") ? state.value : "";
	for (const group of stateGroups) {
		if (group.dataset["country"] === country) state.append(group);
		else group.remove();
	}
	state.value = kept;
	control.postcode.inputMode = "digits" in marks() ? "numeric" : "text";
	for (const field of ["state", "postcode"] as const) {
		form.querySelector(`label[for=${field}]`)!.textContent = textIn(country, field);
	}
}

// allStates makes the list whole, for a value that is not of the country shown; adapt shortens it again.
export function allStates(): void {
	state.append(...stateGroups);
}

// What can stand below a field: what is wrong, what may be, what was probably meant, and that all is well.
const kinds = ["error", "caution", "suggest", "good"] as const;

// say puts a sentence below a field, in the place of an older one of its kind, or takes that away. The field refers to what
// stands there, and only as long as it does.
export function say(field: Field, kind: (typeof kinds)[number], ...said: (Node | string)[]): void {
	const input = control[field];
	const sentence = element("p", { className: kind, id: `${field}-${kind}` }, ...said);
	const old = document.getElementById(sentence.id);
	if (old?.textContent === sentence.textContent) return; // a button in it may be under the pointer
	old?.remove();
	if (sentence.textContent) input.parentElement!.append(sentence);
	const there = kinds.map((kind) => `${field}-${kind}`).filter((id) => document.getElementById(id));
	if (there.length > 0) input.setAttribute("aria-describedby", there.join(" "));
	else input.removeAttribute("aria-describedby");
}

// faulty says whether a fault stands at the field.
export function faulty(field: Field): boolean {
	return control[field].ariaInvalid === "true";
}

// setFault puts the sentence for a problem's code at a field, or takes it away.
export function setFault(field: Field, code: string | undefined): void {
	say(field, "error", code ? textIn(control.country.value, code) : "");
	if (code) control[field].setAttribute("aria-invalid", "true");
	else control[field].removeAttribute("aria-invalid");
}

// report puts a sentence at every wrong field and a list of them above the form, and takes the buyer there.
export function report(wrong: ReadonlyMap<Field, string>): void {
	const items = fields.filter((field) => wrong.has(field)).map((field) => {
		const said = textIn(control.country.value, wrong.get(field)!);
		return element("li", {}, element("a", { href: `#${field}` }, said));
	});
	open();
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

const plural = new Intl.PluralRules(document.documentElement.lang);

function count(n: number): string {
	return text(`fields.${plural.select(n)}`, { n: String(n) }) || text("fields.other", { n: String(n) });
}

const title = document.title.replace(text("error", { title: "" }), "");
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

// The form's fields: values, visibility for the chosen country, and messages.

import type { BillingAddress } from "./client/client.ts";
import type { Billing } from "./core/core.ts";
import { byId, element, text, textIn } from "./page.ts";

// In page order.
export const fields = ["email", "country", "state", "postcode", "businessName", "taxId", "street", "city"] as const;
export type Field = (typeof fields)[number];

export const form = document.querySelector<HTMLFormElement>("form[novalidate]")!;
export const control = Object.fromEntries(fields.map((field) => [field, byId(field)])) as Record<
	Field,
	HTMLInputElement | HTMLSelectElement
>;
export const isBusiness = byId<HTMLInputElement>("isBusiness");
const state = control.state as HTMLSelectElement;

// The server sends a field with the states of each country, because style sheets cannot shorten a list in all browsers. The script
// makes them one field.
const states = [...form.querySelectorAll<HTMLOptionElement>(".state option:not([value=''])")];
for (const field of form.querySelectorAll<HTMLElement>(".state")) {
	if (field.contains(state)) delete field.dataset["country"];
	else field.remove();
}

// edit contains the fields if the buyer's details are known. It is closed at first.
const edit = document.querySelector<HTMLDetailsElement>("#edit");

// open shows the fields.
export function open(): void {
	if (edit) edit.open = true;
}

edit?.addEventListener("toggle", () => {
	if (edit.open && !form.querySelector(".fields :focus, #notice:focus")) control.email.focus(); // the focused element is hidden now
});

// billing returns the billing detail of the visible fields.
export function billing(): Billing {
	const detail: Billing = { country: control.country.value, isBusiness: isBusiness.checked };
	const has = marks();
	if ("state" in has) detail.state = state.value;
	if (!("noPostcode" in has)) detail.postcode = control.postcode.value;
	if (detail.isBusiness) {
		detail.businessName = control.businessName.value;
		detail.taxId = control.taxId.value;
	}
	return detail;
}

// address returns the optional address of a business.
export function address(): BillingAddress | undefined {
	return isBusiness.checked ? { street: control.street.value, city: control.city.value } : undefined;
}

// marks returns the data attributes of the chosen country, which say which fields it has. The style sheet uses them too.
function marks(): DOMStringMap {
	return (control.country as HTMLSelectElement).selectedOptions[0]?.dataset ?? {};
}

// adapt updates the list of states, three labels and the keypad for the chosen country; the style sheet does the rest. It clears a
// state of another country. The hidden list of a country without states has all of them, so that autofill can set country and state
// at once.
export function adapt(): void {
	const country = control.country.value;
	const kept = state.value.startsWith(country + "-") ? state.value : "";
	for (const option of states) {
		if (!("state" in marks()) || option.value.startsWith(country + "-")) state.append(option);
		else option.remove();
	}
	state.value = kept;
	control.postcode.inputMode = "digits" in marks() ? "numeric" : "text";
	for (const field of ["state", "postcode"] as const) {
		form.querySelector(`label[for=${field}]`)!.textContent = textIn(country, field);
	}
	form.querySelector("label[for=taxId]")!.textContent = marks()["taxId"] ?? ("vat" in marks() ? text("vat-id") : text("tax-id"));
}

// values returns everything that the buyer can change, as text to compare.
export function values(): string {
	return JSON.stringify([...fields.map((field) => control[field].value), isBusiness.checked]);
}

// The kinds of message below a field: an error, a warning, a suggestion, a confirmation. The server writes another kind, the hint.
const kinds = ["error", "caution", "suggest", "good"] as const;

// say sets, replaces or (without content) removes the message of a kind below a field, and updates the field's aria-describedby.
export function say(field: Field, kind: (typeof kinds)[number], ...said: (Node | string)[]): void {
	const input = control[field];
	const sentence = element("p", { className: kind, id: `${field}-${kind}` }, ...said);
	const old = document.getElementById(sentence.id);
	if (old?.textContent === sentence.textContent) return; // keeps a button that is being pressed
	old?.remove();
	if (sentence.textContent) input.parentElement!.append(sentence);
	const there = [...kinds, "hint"].map((kind) => `${field}-${kind}`).filter((id) => document.getElementById(id));
	if (there.length > 0) input.setAttribute("aria-describedby", there.join(" "));
	else input.removeAttribute("aria-describedby");
}

// isInvalid reports whether the field shows an error.
export function isInvalid(field: Field): boolean {
	return control[field].ariaInvalid === "true";
}

// setError sets the error message for a problem code at a field, or removes it.
export function setError(field: Field, code: string | undefined): void {
	say(field, "error", code ? textIn(control.country.value, code) : "");
	if (code) control[field].setAttribute("aria-invalid", "true");
	else control[field].removeAttribute("aria-invalid");
}

// complain sets or (without a sentence) removes the message at a box.
export function complain(box: HTMLInputElement, said: string): void {
	const id = `${box.id}-error`;
	document.getElementById(id)?.remove();
	if (said) {
		box.closest(".field")!.append(element("p", { className: "error", id }, said));
		box.setAttribute("aria-invalid", "true");
		box.setAttribute("aria-describedby", id);
	} else for (const name of ["aria-invalid", "aria-describedby"]) box.removeAttribute(name);
}

// report sets the message of every invalid field and unticked box, and focuses a list of them above the form. said are refusals that
// are about no field.
export function report(wrong: ReadonlyMap<Field, string>, boxes: readonly HTMLInputElement[], said: readonly string[] = []): void {
	const items = fields.filter((field) => wrong.has(field)).map((field) => {
		const said = textIn(control.country.value, wrong.get(field)!);
		return element("li", {}, element("a", { href: `#${field}`, target: "_self" }, said));
	});
	for (const box of boxes) {
		const said = text("consent-required");
		complain(box, said);
		items.push(element("li", {}, element("a", { href: `#${box.id}`, target: "_self" }, said)));
	}
	if (wrong.size > 0) open();
	for (const field of fields) setError(field, wrong.get(field));
	const headings = items.length > 0 ? [...said, count(items.length)] : said;
	const [heading = "", ...more] = headings.map((line) => element("h2", { dir: "auto" }, line));
	notify(heading, ...more, element("ul", {}, ...items));
	document.title = text("error", { title });
}

// recheck updates the error messages that are shown, and the list above the form. It adds none.
export function recheck(wrong: ReadonlyMap<Field, string>): void {
	for (const field of fields) if (isInvalid(field)) setError(field, wrong.get(field));
	relist();
}

// relist removes what is valid by now from the list above the form.
export function relist(): void {
	const links = [...notice.querySelectorAll("a")];
	if (links.length === 0) return;
	const left = links.filter((link) => form.querySelector(link.hash)?.ariaInvalid === "true");
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

// notify shows a message above the form and focuses it.
export function notify(heading: string | Node, ...rest: Node[]): void {
	const first = typeof heading === "string" ? element("h2", {}, heading) : heading;
	notice.replaceChildren(element("div", { role: "alert" }, first, ...rest));
	notice.hidden = false;
	notice.focus();
}

// clear removes the message above the form.
export function clear(): void {
	notice.hidden = true;
	notice.replaceChildren();
	document.title = title;
}

// The hosted page's enhancement: the form checked as one types, the tax before one pays, no page load in between. The
// page works without all of it: every listener is attached at the very end, and the core comes when it comes.

import { token } from "./token.ts";

import { WaffoPancakeError, type ApiError } from "./client/client.ts";
import { Core } from "./core/core.ts";
import { keep, restore } from "./draft.ts";
import { used, watch } from "./expiry.ts";
import {
	adapt, allStates, billing, clear, control, faulty, fields, form, isBusiness, notify, open, recheck, report, say, setFault,
	type Field,
} from "./fields.ts";
import { placeOrder } from "./order.ts";
import { data, element, text } from "./page.ts";
import { askTotal, regionName, writeTotal } from "./receipt.ts";
import { hold, isHolding, release, waiting } from "./retry.ts";

export { Core };

const button = form.querySelector<HTMLButtonElement>("button:not([type])")!;
const label = button.textContent!;
let core: Core | null = null;

// withCore runs something with the core, if it is there. A core that fails is given up, and the page goes on without it.
function withCore<T>(use: (core: Core) => T): T | undefined {
	if (!core) return undefined;
	try {
		return use(core);
	} catch (error) {
		console.error(error);
		core = null;
		return undefined;
	}
}

// findFaults asks the core for everything that is wrong: the code of a problem by field.
function findFaults(core: Core): Map<Field, string> {
	const wrong = new Map<Field, string>();
	const address = core.email(control.email.value);
	if ("data" in address && !address.data.valid) {
		wrong.set("email", address.data.email ? "buyer-email-invalid" : "buyer-email-required");
	}
	const answer = core.billing(billing());
	collect(wrong, "errors" in answer ? answer.errors : []);
	const checked = "data" in answer && answer.data.taxIdChecked;
	say("taxId", "good", checked ? text("tax-id.checked") : "");
	return wrong;
}

// collect sorts refusals by field, the first of each; it says whether all of them belong to one.
function collect(wrong: Map<Field, string>, refusals: readonly Pick<ApiError, "code" | "path">[]): boolean {
	let all = true;
	for (const { code, path } of refusals) {
		const name = path === "/buyerEmail" ? "email" : path?.replace("/billingDetail/", "");
		const field = fields.find((field) => field === name);
		if (!field || !code) all = false;
		else if (!wrong.has(field)) wrong.set(field, code);
	}
	return all;
}

// A sentence that appears while a pointer is down moves the page away under it, and the click goes nowhere. So the fields
// that are left by a press are checked after it.
let pressed = false;
const leftByPress = new Set<Field>();

function released(): void {
	pressed = false;
	setTimeout(() => {
		leftByPress.forEach(left);
		leftByPress.clear();
	});
}

// left checks a field when the buyer leaves it, unless it is empty: what is missing is said on submit only.
function left(field: Field): void {
	if (control[field].value.trim() === "") return;
	withCore((core) => setFault(field, findFaults(core).get(field)));
	if (field === "email") withCore(suggest);
}

// changed keeps up with every change: a sentence that stands goes as soon as its field is mended, none comes while one
// types. Without the core nobody knows whether a field is mended, so the sentences go with the first change.
function changed(field: Field): void {
	release(); // what is being tried is another order
	setBusy(false);
	if (field === "country") adapt();
	if (field === "email") say("email", "suggest");
	withCore(selectState);
	keep();
	withCore((core) => recheck(findFaults(core)));
	if (!core) recheck(new Map());
	total();
}

function total(): void {
	withCore(writeTotal);
	if (!core) askTotal();
}

// suggest offers the address that was probably meant. It is an offer: nothing changes by itself, nothing waits for it, and
// an address with which the buyer has gone on is taken at its word.
let meant = "";

function suggest(core: Core): void {
	const { value } = control.email;
	const answer = core.email(value);
	const better = "data" in answer && !faulty("email") ? answer.data.suggestion : undefined;
	if (!better || value === meant) {
		say("email", "suggest");
		return;
	}
	const [before = "", after = ""] = text("suggest", { email: "\n" }).split("\n");
	const take = element("button", { type: "button", className: "link" }, better);
	take.addEventListener("click", () => {
		control.email.value = better;
		changed("email");
		control.email.focus();
	});
	say("email", "suggest", before, take, after);
}

// place selects the state in which the postcode lies, where the buyer has not chosen one, and points to it where another was
// chosen: border towns have postcodes of their neighbours, so that is no fault.
let selectedState = "";

function selectState(core: Core): void {
	const country = control.country.value;
	const found = core.stateOf(country, control.postcode.value);
	const state = found && `${country}-${found}`;
	if (state && (control.state.value === "" || control.state.value === selectedState)) {
		control.state.value = state;
		selectedState = state;
	}
	const differs = state !== "" && control.state.value !== state;
	say("postcode", "caution", differs ? text("postcode.differs", { state: regionName(state) }) : "");
}

async function submit(): Promise<void> {
	if (button.ariaBusy) return;
	release();
	meant = control.email.value;
	const wrong = withCore(findFaults);
	if (wrong?.size) {
		setBusy(false);
		report(wrong);
		return;
	}
	clear();
	setBusy(true);
	const attempt = waiting();
	try {
		const url = await placeOrder(control.email.value, billing(), attempt, ({ attempt, maxRetries, delayMs }) => {
			setBusy(false, text("again.now"));
			hold({ attempt, attempts: maxRetries, delay: delayMs, over: () => setBusy(true), stop: stopped });
		});
		location.assign(url); // stays busy: the page is on its way out,
		attempt.addEventListener("abort", () => window.stop()); // unless the buyer changes the order before the other page is there
	} catch (error) {
		if (!attempt.aborted) refused(error);
	}
}

function stopped(): void {
	setBusy(false);
	notify(text("failed"), element("p", {}, text("failed.text")));
}

// refused says what has come in between: what the buyer can mend at the fields, an end of the session in the place of the
// form, anything else with the button to try again.
function refused(error: unknown): void {
	release();
	setBusy(false);
	const { status, errors, code } = error instanceof WaffoPancakeError ? error : new WaffoPancakeError(0, []);
	switch (status) {
		case 401:
			end(text("authentication-failed", { merchant: data.merchant }));
			return;
		case 403:
			end(text("session-wrong-store"));
			return;
		case 409:
			if (code === "idempotency-key-in-use") inUse();
			else location.reload(); // the server knows what has become of the session, and says it
			return;
	}
	const wrong = new Map<Field, string>();
	if (status >= 400 && status < 500) {
		if (collect(wrong, errors) && wrong.size) report(wrong);
		else end(text("broken", { merchant: data.merchant }));
		return;
	}
	const key = navigator.onLine ? "failed" : "offline";
	setBusy(false, text("again"));
	notify(text(key), element("p", {}, text(`${key}.text`)));
}

// inUse waits for this very order, which was asked for before the page was loaded again.
function inUse(): void {
	setBusy(true);
	setTimeout(() => {
		setBusy(false);
		void submit();
	}, 1000);
}

// end puts a last word in the place of the form, and the way back to the merchant.
function end(said: string): void {
	const heading = document.querySelector("h1")!;
	const home = document.querySelector<HTMLAnchorElement>(".merchant a");
	heading.textContent = said;
	if (home) heading.after(element("a", { className: "button", href: home.href }, home.title));
	document.querySelector(".lead")?.remove();
	form.hidden = true;
	heading.focus();
}

// setBusy marks the button instead of disabling it, which would take the focus away; submit guards itself.
function setBusy(on: boolean, said = on ? text("continue.busy") : label): void {
	if (button.textContent !== said) button.textContent = said;
	for (const name of ["aria-busy", "aria-disabled"]) {
		if (on) button.setAttribute(name, "true");
		else button.removeAttribute(name);
	}
}

// known is called when the merchant's token says whose e-mail address the order will have, whatever is typed.
function known(email: string): void {
	const input = control.email as HTMLInputElement;
	input.value = email;
	input.readOnly = true;
	for (const line of document.querySelectorAll("[data-review=email]")) line.textContent = email;
	setFault("email", undefined);
	say("email", "suggest");
}

allStates();
if (restore()) open();
adapt();
for (const field of fields) {
	control[field].addEventListener("input", () => changed(field));
	control[field].addEventListener("blur", () => (pressed ? leftByPress.add(field) : left(field)));
}
addEventListener("pointerdown", () => (pressed = true), { capture: true });
addEventListener("pointerup", released, { capture: true });
addEventListener("pointercancel", released, { capture: true });
isBusiness.addEventListener("input", () => changed("businessName"));
for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, used, { capture: true, passive: true });
addEventListener("pageshow", (event) => {
	if (event.persisted) setBusy(false);
});
addEventListener("online", () => {
	if (isHolding()) void submit();
});
form.addEventListener("submit", (event) => {
	event.preventDefault();
	void submit();
});
const language = document.querySelector<HTMLSelectElement>("#language");
language?.form?.querySelector("button")?.remove();
language?.addEventListener("change", () => {
	if (token) language.form!.action = `#token=${token}`; // it goes on to the page in the other language, as it came to this one
	language.form!.requestSubmit();
});
watch(known);

Core.load(data.core.url, data.core.integrity).then(
	(loaded) => {
		core = loaded;
		withCore(writeTotal);
		form.dataset["core"] = ""; // the page is quick from now on, for whoever waits for it
		performance.mark("core"); // and for whoever measures it
	},
	(error: unknown) => console.warn("the page works without its core:", error),
);

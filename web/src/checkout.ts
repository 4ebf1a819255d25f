// The script of the form. It validates and shows the tax while the buyer types, and creates the order without a page load. The
// page works without it. Listeners are attached at the end of this module; the core loads asynchronously.

import { token } from "./token.ts";

import { WaffoPancakeError, type ApiError } from "./client/client.ts";
import { Core } from "./core/core.ts";
import { keep, restore } from "./draft.ts";
import { used, watch } from "./expiry.ts";
import {
	adapt, allStates, billing, clear, control, isInvalid, fields, form, isBusiness, notify, open, recheck, report, say, setError,
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

// withCore calls use with the core, if it is loaded. After an error the page continues without the core.
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

// findErrors validates the form with the core and returns the problem code of each invalid field.
function findErrors(core: Core): Map<Field, string> {
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

// collect adds the first problem of each field to wrong. It reports whether every problem belongs to a field.
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

// A message that appears between pointerdown and pointerup moves the page, and the click misses its target. So fields that lose
// the focus by a press are validated after it.
let pressed = false;
const leftByPress = new Set<Field>();

function released(): void {
	pressed = false;
	setTimeout(() => {
		leftByPress.forEach(left);
		leftByPress.clear();
	});
}

// left validates a field that lost the focus, unless it is empty: missing values are reported on submit only.
function left(field: Field): void {
	if (control[field].value.trim() === "") return;
	withCore((core) => setError(field, findErrors(core).get(field)));
	if (field === "email") withCore(suggest);
}

// changed handles an edit. It removes the message of a field that has become valid, and adds none. Without the core it removes all
// messages, because validity is unknown.
function changed(field: Field): void {
	release(); // the pending attempt is for another order
	setBusy(false);
	if (field === "country") adapt();
	if (field === "email") say("email", "suggest");
	withCore(selectState);
	keep();
	withCore((core) => recheck(findErrors(core)));
	if (!core) recheck(new Map());
	total();
}

function total(): void {
	withCore(writeTotal);
	if (!core) askTotal();
}

// suggest offers a correction of the e-mail address. Nothing changes unless the buyer accepts it, and an address that was
// submitted gets no suggestion again.
let meant = "";

function suggest(core: Core): void {
	const { value } = control.email;
	const answer = core.email(value);
	const better = "data" in answer && !isInvalid("email") ? answer.data.suggestion : undefined;
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

// selectState selects the postcode's state, unless the buyer has chosen one; then it only warns if they differ, because border
// towns can have a postcode of the neighbouring state.
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
	const wrong = withCore(findErrors);
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
		location.assign(url); // the button stays busy while the payment page loads
		attempt.addEventListener("abort", () => window.stop()); // the buyer has changed the order
	} catch (error) {
		if (!attempt.aborted) refused(error);
	}
}

function stopped(): void {
	setBusy(false);
	notify(text("failed"), element("p", {}, text("failed.text")));
}

// refused shows an error of create-order: invalid fields at the fields, a final refusal instead of the form, and anything else
// with a button to try again.
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
			else location.reload(); // the server shows the session's new state
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

// inUse repeats the request later: an earlier attempt for this order, from before a reload, is still running.
function inUse(): void {
	setBusy(true);
	setTimeout(() => {
		setBusy(false);
		void submit();
	}, 1000);
}

// end replaces the form with a final message and a link to the merchant.
function end(said: string): void {
	const heading = document.querySelector("h1")!;
	const home = document.querySelector<HTMLAnchorElement>(".merchant a");
	heading.textContent = said;
	if (home) heading.after(element("a", { className: "button", href: home.href }, home.title));
	document.querySelector(".lead")?.remove();
	form.hidden = true;
	heading.focus();
}

// setBusy marks the button as busy. It does not disable it, which would lose the focus; submit ignores a busy button.
function setBusy(on: boolean, said = on ? text("continue.busy") : label): void {
	if (button.textContent !== said) button.textContent = said;
	for (const name of ["aria-busy", "aria-disabled"]) {
		if (on) button.setAttribute(name, "true");
		else button.removeAttribute(name);
	}
}

// known shows the e-mail address that the session token fixes for the order.
function known(email: string): void {
	const input = control.email as HTMLInputElement;
	input.value = email;
	input.readOnly = true;
	for (const line of document.querySelectorAll("[data-review=email]")) line.textContent = email;
	setError("email", undefined);
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
	if (token) language.form!.action = `#token=${token}`; // passed to the page in the other language
	language.form!.requestSubmit();
});
watch(known);

Core.load(data.core.url, data.core.integrity).then(
	(loaded) => {
		core = loaded;
		withCore(writeTotal);
		form.dataset["core"] = ""; // tests wait for it
		performance.mark("core"); // tests measure it
	},
	(error: unknown) => console.warn("the page works without its core:", error),
);

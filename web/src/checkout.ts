// The script of the form. It validates and shows the tax while the buyer types, and creates the order without a page load. The
// page works without it. Listeners are attached at the end of this module; the core loads asynchronously.

import { token } from "./token.ts";

import { WaffoPancakeError, type ApiError } from "./client/client.ts";
import { unticked } from "./consent.ts";
import { Core } from "./core/core.ts";
import { keep, restore } from "./draft.ts";
import { leave, tell } from "./embed.ts";
import { used, watch } from "./expiry.ts";
import {
	adapt, address, billing, clear, control, isInvalid, fields, form, notify, open, recheck, report, say, setError, values,
	type Field,
} from "./fields.ts";
import { dropBrokenImages } from "./images.ts";
import { placeOrder } from "./order.ts";
import { byId, data, element, learn, text, textIn } from "./page.ts";
import { askTotal, consumer, regionName, requote, totalShown, writeTotal } from "./receipt.ts";
import { hold, isHolding, release, waiting } from "./retry.ts";
import { decide, loadRules } from "./rules.ts";

export { Core };

const button = form.querySelector<HTMLButtonElement>("button:not([type])")!;
const label = button.textContent!;
const checkBox = byId("check");
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

type Refusal = Pick<ApiError, "code" | "path"> & Partial<Pick<ApiError, "message">>;

// collect adds the first problem of each field to wrong, and to said the sentences of the store's rules that are about no field. It
// reports whether that is every problem.
function collect(wrong: Map<Field, string>, refusals: readonly Refusal[], said: string[] = []): boolean {
	let all = true;
	for (const { code, path = "", message = "" } of refusals) {
		const name = path === "/buyerEmail" ? "email" : path.replace("/billingDetail/", "");
		const field = fields.find((field) => field === name);
		const ruled = code?.startsWith("rule-");
		const key = ruled ? learn(code!, path, message) : code;
		if (field && key) wrong.has(field) || wrong.set(field, key);
		else if (ruled) said.push(message);
		else all = false;
	}
	return all;
}

// hear shows what the store's rules object to while the buyer types, below the fields and above the button.
let objected: Field[] = [];

function hear(refusals: readonly Refusal[]): void {
	const wrong = new Map<Field, string>();
	const said: string[] = [];
	collect(wrong, refusals, said);
	for (const field of objected) if (!wrong.has(field)) say(field, "caution");
	objected = [...wrong.keys()];
	for (const [field, key] of wrong) say(field, "caution", text(key));
	if (said.length === 0) return;
	const lines = said.map((line) => element("h2", { dir: "auto" }, line));
	if (checkBox.textContent !== said.join("")) checkBox.replaceChildren(element("div", { role: "alert" }, ...lines)); // announced once
	checkBox.hidden = false;
}

// objections returns what the rules object to in an error of the API; a rule that has failed objects to nothing.
function objections(error: unknown): readonly Refusal[] {
	const refused = error instanceof WaffoPancakeError && error.status === 400;
	return refused ? error.errors.filter(({ code }) => code?.startsWith("rule-")) : [];
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
	if (field === "postcode") {
		leftPostcode = control.postcode.value;
		withCore(doubtPostcode);
	}
	if (field === "taxId") withCore(doubtTaxId);
}

// doubtPostcode warns of a postcode of another state than the chosen one, because border towns can have such a postcode, and of one
// in another format than the country's, unless it is still being typed. It blocks no order unless the core refuses it.
let leftPostcode = "";

function doubtPostcode(core: Core): void {
	const country = control.country.value;
	const postcode = control.postcode.value;
	const state = stateOf(core);
	const answer = core.fields(country, postcode);
	const unusual = postcode === leftPostcode && "data" in answer && answer.data.postcodeUnusual && !isInvalid("postcode");
	if (state && control.state.value !== state) say("postcode", "caution", text("postcode.differs", { state: regionName(state) }));
	else say("postcode", "caution", unusual ? textIn(country, "postcode-invalid") : "");
}

// stateOf returns the state of the postcode, "US-NY", or "" if it names none.
function stateOf(core: Core): string {
	const country = control.country.value;
	const state = core.stateOf(country, control.postcode.value);
	return state && `${country}-${state}`;
}

// seen are the values that the page reflects: its fields, messages and total.
let seen = { all: "", email: "", country: "" };

function see(): void {
	seen = { all: values(), email: control.email.value, country: control.country.value };
	checkBox.hidden = true;
}

// doubtTaxId warns of a number whose check digits are wrong. Outside the European Union it blocks no order, but relieves of no tax.
function doubtTaxId(core: Core): void {
	const answer = core.taxId(control.country.value, control.taxId.value);
	const wrong = "data" in answer && !answer.data.valid && answer.data.fault !== "unsupported";
	const doubtful = wrong && control.taxId.value.trim() !== "" && !isInvalid("taxId");
	say("taxId", "caution", doubtful ? text("tax-id.unusual") : "");
}

// changed handles an edit, if there was one: a browser or an extension reports one by input, by change, by both or not at all. It
// removes the message of a field that has become valid, and adds none. Without the core it removes all messages, because validity
// is unknown.
function changed(): void {
	if (seen.all === values()) return;
	release(); // the pending attempt is for another order
	setBusy(false);
	if (seen.country !== control.country.value) adapt();
	if (seen.email !== control.email.value) say("email", "suggest");
	withCore(selectState);
	keep();
	withCore((core) => recheck(findErrors(core)));
	withCore(doubtPostcode);
	if (document.querySelector("#taxId-caution")) withCore(doubtTaxId);
	if (!core) recheck(new Map());
	see();
	total();
}

// total shows the total. With rules of the store that the page does not have, the server knows it.
function total(): void {
	const shown = withCore((core) => (data.rules ? writeRuled(core) : (writeTotal(core), true)));
	if (!shown) askTotal((refusal) => hear(objections(refusal)));
}

// writeRuled shows what the rules say of the form, and the total with their discount. It reports whether the page has the rules.
function writeRuled(core: Core): boolean {
	const own = core.billing(billing());
	const detail = "data" in own ? own : core.billing(consumer());
	if (!("data" in detail)) return false;
	const verdict = decide(core, detail.data, control.email.value);
	if (!verdict) return false;
	writeTotal(core, verdict.discount);
	hear(verdict.errors);
	return true;
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
		changed();
		control.email.focus();
	});
	say("email", "suggest", before, take, after);
}

// selectState selects the postcode's state, unless the buyer has chosen one.
let selectedState = "";

function selectState(core: Core): void {
	const state = stateOf(core);
	if (state && (control.state.value === "" || control.state.value === selectedState)) {
		control.state.value = state;
		selectedState = state;
	}
}

async function submit(): Promise<void> {
	if (button.ariaBusy) return;
	const shown = totalShown();
	changed();
	release();
	checkBox.hidden = true;
	meant = control.email.value;
	const wrong = withCore(findErrors) ?? new Map<Field, string>();
	const boxes = unticked();
	if (wrong.size + boxes.length > 0) {
		setBusy(false);
		report(wrong, boxes);
		return;
	}
	clear();
	setBusy(true);
	const attempt = waiting();
	try {
		await requote();
		if (attempt.aborted) return;
		if (totalShown() !== shown) {
			setBusy(false);
			checkTotal();
			return;
		}
		const url = await placeOrder(control.email.value, billing(), address(), attempt, ({ attempt, maxRetries, delayMs, error }) => {
			const queued = error.code === "provider-busy";
			setBusy(queued, text(queued ? "queue.busy" : "again.now"));
			hold({ attempt, attempts: maxRetries, delay: delayMs, queued, over: () => setBusy(true), stop: () => stopped(queued) });
		});
		leave(url, () => offerTab(url)); // the button stays busy while the payment page loads
		attempt.addEventListener("abort", () => window.stop()); // the buyer has changed the order
	} catch (error) {
		if (!attempt.aborted) refused(error);
	}
}

// offerTab replaces the button by a link to the payment page in a new tab. The page here then waits for the payment.
function offerTab(url: URL): void {
	const link = element("a", { className: "button", href: url.href, target: "_blank", rel: "noopener" }, label);
	link.addEventListener("click", () => setTimeout(() => location.assign(`${location.pathname}/complete${location.search}`)));
	button.replaceWith(link);
	link.focus();
}

// totalChanged shows the total that the order would have by now.
async function totalChanged(): Promise<void> {
	try {
		await requote(true);
		checkTotal();
	} catch (error) {
		refused(error);
	}
}

// checkTotal asks the buyer to confirm a total that was not on the page when the button was pressed.
function checkTotal(): void {
	const shown = (part: string) => form.querySelector(part)!.textContent!;
	checkBox.replaceChildren(
		element("div", { role: "alert" }, element("h2", {}, text("check-total")), element("p", {}, element("span", { className: "amount" }, shown("[data-total]")), ` · ${shown("[data-includes]")}`)),
	);
	checkBox.hidden = false;
}

function stopped(queued: boolean): void {
	setBusy(false);
	if (queued) button.focus();
	else notify(text("failed"), element("p", {}, text("failed.text")));
}

// refused shows an error of create-order: invalid fields at the fields, a final refusal instead of the form, and anything else
// with a button to try again.
function refused(error: unknown): void {
	release();
	setBusy(false);
	const { status, errors, code } = error instanceof WaffoPancakeError ? error : new WaffoPancakeError(0, []);
	switch (status) {
		case 401:
			end(text("authentication-failed"), code);
			return;
		case 403:
			end(text("session-wrong-store"), code);
			return;
		case 409:
			if (code === "idempotency-key-in-use") inUse();
			else if (code === "total-changed") void totalChanged();
			else location.reload(); // the server shows the session's new state
			return;
	}
	const wrong = new Map<Field, string>();
	const said: string[] = [];
	if (status >= 400 && status < 500) {
		if (code === "consent-required") location.reload(); // the text has changed
		else if (collect(wrong, errors, said) && wrong.size + said.length > 0) report(wrong, [], said);
		else end(text("broken", { merchant: data.merchant }), code);
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

// end replaces the form with a final message and the ways on that the server knows.
function end(said: string, code = "unknown"): void {
	tell("error", { code });
	const heading = document.querySelector("h1")!;
	heading.textContent = said;
	document.querySelector(".lead")?.remove();
	byId("ended").hidden = false;
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

if (restore()) open();
adapt();
see();
for (const kind of ["input", "change"]) form.addEventListener(kind, changed);
for (const field of fields) {
	control[field].addEventListener("blur", () => (pressed ? leftByPress.add(field) : left(field)));
}
addEventListener("pointerdown", () => (pressed = true), { capture: true });
addEventListener("pointerup", released, { capture: true });
addEventListener("pointercancel", released, { capture: true });
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
language?.nextElementSibling?.remove();
language?.addEventListener("change", () => {
	keep();
	location.assign(`?language=${language.value}${token ? `#token=${token}` : ""}`); // passed to the page in the other language
});
watch(known);
dropBrokenImages();

Core.load(data.core.url, data.core.integrity).then(
	(loaded) => {
		core = loaded;
		total();
		void loadRules(total);
		form.dataset["core"] = ""; // tests wait for it
		performance.mark("core"); // tests measure it
	},
	(error: unknown) => console.warn("the page works without its core:", error),
);

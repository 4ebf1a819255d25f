// The hosted page's enhancement: the form checked as one types, the tax before one pays, no page load in between. The
// page works without all of it: every listener is attached at the very end, and the core comes when it comes.

import { token } from "./token.ts";

import { Core } from "./core/core.ts";
import {
	adapt, billing, clear, control, fields, form, notify, recheck, report, setFault, setGood, type Field,
} from "./fields.ts";
import { placeOrder, type Outcome, type Refusal } from "./order.ts";
import { byId, data, element, text } from "./page.ts";
import { writeTotal } from "./receipt.ts";

export { Core };

const button = form.querySelector("button")!;
let core: Core | null = null;
let busy = false;

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
	setGood("taxId", checked ? text("tax-id.checked") : "");
	return wrong;
}

// collect sorts refusals by field, the first of each; it says whether all of them belong to one.
function collect(wrong: Map<Field, string>, refusals: readonly Refusal[]): boolean {
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
}

// changed keeps up with every change: a sentence that stands goes as soon as its field is mended, none comes while one
// types. Without the core nobody knows whether a field is mended, so the sentences go with the first change.
function changed(field: Field): void {
	if (field === "country") adapt();
	if (!core) recheck(new Map());
	withCore((core) => {
		recheck(findFaults(core));
		writeTotal(core);
	});
}

async function submit(): Promise<void> {
	if (busy) return;
	const wrong = withCore(findFaults);
	if (wrong?.size) {
		report(wrong);
		return;
	}
	clear();
	setBusy(true);
	const outcome = await placeOrder(token, control.email.value, billing());
	if ("url" in outcome) {
		location.assign(outcome.url); // stays busy: the page is on its way out
		return;
	}
	setBusy(false);
	refused(outcome);
}

// refused says what has come in between: what the buyer can mend at the fields, an end of the session in the place of the
// form, anything else with a button to try again.
function refused(outcome: Exclude<Outcome, { url: URL }>): void {
	switch (outcome.status) {
		case 0: {
			const key = navigator.onLine ? "failed" : "offline";
			const again = element("button", { type: "button" }, text("again"));
			again.addEventListener("click", () => void submit());
			notify(text(key), element("p", {}, text(`${key}.text`)), again);
			return;
		}
		case 400: {
			const wrong = new Map<Field, string>();
			if (collect(wrong, outcome.refusals) && wrong.size) report(wrong);
			else end(text("broken", { merchant: data.merchant }));
			return;
		}
		case 401:
			end(text("authentication-failed", { merchant: data.merchant }));
			return;
		case 403:
			end(text("session-wrong-store"));
			return;
		case 409:
			location.reload(); // the server knows what has become of the session, and says it
	}
}

// end puts a last word in the place of the form.
function end(said: string): void {
	const heading = document.querySelector("h1")!;
	heading.textContent = said;
	document.querySelector(".lead")?.remove();
	form.hidden = true;
	heading.focus();
}

// setBusy marks the button instead of disabling it, which would take the focus away; submit guards itself.
function setBusy(on: boolean): void {
	busy = on;
	button.textContent = text(on ? "continue.busy" : "continue");
	for (const name of ["aria-busy", "aria-disabled"]) {
		if (on) button.setAttribute(name, "true");
		else button.removeAttribute(name);
	}
}

adapt();
for (const field of fields) {
	control[field].addEventListener("input", () => changed(field));
	control[field].addEventListener("blur", () => (pressed ? leftByPress.add(field) : left(field)));
}
addEventListener("pointerdown", () => (pressed = true), { capture: true });
addEventListener("pointerup", released, { capture: true });
addEventListener("pointercancel", released, { capture: true });
byId("isBusiness").addEventListener("input", () => changed("businessName"));
addEventListener("pageshow", (event) => {
	if (event.persisted) setBusy(false);
});
form.addEventListener("submit", (event) => {
	event.preventDefault();
	void submit();
});

Core.load(data.core.url, data.core.integrity).then(
	(loaded) => {
		core = loaded;
		withCore(writeTotal);
		performance.mark("core"); // when the page became quick, for whoever measures it
	},
	(error: unknown) => console.warn("the page works without its core:", error),
);

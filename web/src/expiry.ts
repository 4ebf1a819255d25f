// The end of the session. While the page is used it moves away without a word; two minutes before it the buyer is asked
// (WCAG 2.2, 2.2.1).

import { buyer, call } from "./api.ts";
import { byId, data, element, text } from "./page.ts";
import { token } from "./token.ts";

const warning = 120_000; // milliseconds before the end
const comfort = 600_000; // with so much left, nobody need ask for more
const pause = 120_000; // between two questions

const ahead = data.now - Date.now(); // of the server's clock
let end = data.expiresAt - ahead;
let asked = -Infinity;

interface Renewed {
	readonly expiresAt: string;
	readonly buyerEmail?: string; // whatever is typed
}

// renew asks for more time; a token lives on by it too. Nothing comes of it where the session has had all of its time.
export async function renew(): Promise<Renewed> {
	asked = Date.now();
	const renewed = await call<Renewed>("checkout/renew-session", buyer);
	end = Date.parse(renewed.expiresAt) - ahead;
	tick();
	return renewed;
}

// used is called whenever the buyer does something.
export function used(): void {
	if (Date.now() - asked < pause || (!token && end - Date.now() > comfort)) return;
	renew().catch(() => {}); // the end has not moved, and says so itself
}

const box = byId("expiry");
const left = element("span");

// tick keeps the warning: there from two minutes before the end, told once, counting down in silence.
function tick(): void {
	const seconds = Math.max(0, Math.ceil((end - Date.now()) / 1000));
	if (seconds === 0) {
		location.reload(); // the server says what has become of the session
		return;
	}
	if (end - Date.now() > warning) {
		box.hidden = true;
		return;
	}
	left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
	if (box.hidden) warn();
}

function warn(): void {
	const more = element("button", { type: "button", className: "link" }, text("expires.more"));
	more.addEventListener("click", () => void renew().catch(() => {}));
	const [before = "", after = ""] = text("expires.text", { time: "\n" }).split("\n");
	box.replaceChildren(
		element("div", { role: "alert" }, element("h2", {}, text("expires"))),
		element("p", {}, before, left, after),
		element("p", { className: "actions" }, more),
	);
	box.hidden = false;
}

// watch begins to look at the clock, and renews at once where a token says who the buyer is.
export function watch(known: (email: string) => void): void {
	setInterval(tick, 1000);
	tick();
	if (!token) return;
	renew().then(
		({ buyerEmail }) => buyerEmail && known(buyerEmail),
		() => {}, // the order will be refused in words, if it must be
	);
}

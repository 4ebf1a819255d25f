// The session's expiry. While the buyer uses the page, the session is renewed. Two minutes before it expires the page offers more
// time (WCAG 2.2, 2.2.1).

import { buyer, call } from "./api.ts";
import { byId, data, element, text } from "./page.ts";
import { token } from "./token.ts";

const warning = 120_000; // milliseconds before expiry
const comfort = 600_000; // milliseconds before expiry until which activity renews nothing
const pause = 120_000; // milliseconds between two renewals

const ahead = data.now - Date.now(); // server time minus local time
let end = data.expiresAt - ahead;
let asked = -Infinity;

interface Renewed {
	readonly expiresAt: string;
	readonly buyerEmail?: string; // set if the token fixes it
}

// renew extends the session and its token, up to the session's maximum.
async function renew(): Promise<Renewed> {
	asked = Date.now();
	const renewed = await call<Renewed>("checkout/renew-session", buyer);
	end = Date.parse(renewed.expiresAt) - ahead;
	tick();
	return renewed;
}

// used is called on every activity of the buyer. It renews the session if that is due.
export function used(): void {
	if (Date.now() - asked < pause || (!token && end - Date.now() > comfort)) return;
	renew().catch(() => {}); // the session still expires, and the page warns of it
}

const box = byId("expiry");
const left = element("span");

// tick shows and updates the warning. Screen readers announce it once, and not its countdown.
function tick(): void {
	const seconds = Math.max(0, Math.ceil((end - Date.now()) / 1000));
	if (seconds === 0) {
		location.reload(); // the server shows the session's new state
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

// watch starts the timer. With a token it renews at once, to learn the buyer's e-mail address.
export function watch(known: (email: string) => void): void {
	setInterval(tick, 1000);
	tick();
	if (!token) return;
	renew().then(
		({ buyerEmail }) => buyerEmail && known(buyerEmail),
		() => {}, // create-order will report an invalid token
	);
}

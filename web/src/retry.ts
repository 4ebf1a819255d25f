// The wait between two tries to reach the payment page: told once, counted down in silence, and the buyer can end it.

import { byId, element, text } from "./page.ts";

const box = byId("hold");
let current = new AbortController();
let ticking = 0;

// waiting begins to try, and returns what ends the trying.
export function waiting(): AbortSignal {
	current = new AbortController();
	return current.signal;
}

// release ends the trying, and takes down what was said about it.
export function release(): void {
	current.abort();
	still();
}

// isHolding reports whether the next try is waited for.
export const isHolding = () => !box.hidden;

function still(): void {
	clearInterval(ticking);
	box.hidden = true;
}

interface Wait {
	readonly attempt: number;
	readonly attempts: number;
	readonly delay: number; // milliseconds
	readonly over: () => void; // the next try begins
	readonly stop: () => void; // the buyer has had enough
}

// hold says that the next try comes after a while.
export function hold({ attempt, attempts, delay, over, stop }: Wait): void {
	still();
	const end = Date.now() + delay;
	const key = navigator.onLine ? "failed" : "offline";
	const countdown = element("p");
	const enough = element("button", { type: "button", className: "link" }, text("again.stop"));
	enough.addEventListener("click", () => {
		release();
		stop();
	});
	box.replaceChildren(
		element("div", { role: "alert" }, element("h2", {}, text(key)), element("p", {}, text("failed.safe"))),
		countdown,
		element("p", { className: "actions" }, enough),
	);
	const tick = () => {
		const n = Math.ceil((end - Date.now()) / 1000);
		countdown.textContent = text("failed.next", { n: String(n), attempt: String(attempt), attempts: String(attempts) });
		if (n > 0) return;
		still();
		over();
	};
	tick();
	ticking = setInterval(tick, 1000);
	box.hidden = false;
}

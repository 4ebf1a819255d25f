// The wait between two attempts to create the order, after a failure or in a queue: announced once, with a countdown, and the buyer
// can stop it.

import { byId, element, text } from "./page.ts";
import { announce } from "./receipt.ts";

const box = byId("hold");
let current = new AbortController();
let ticking = 0;

// waiting starts the attempts and returns the signal that aborts them.
export function waiting(): AbortSignal {
	current = new AbortController();
	return current.signal;
}

// release aborts the attempts and hides the message.
export function release(): void {
	current.abort();
	still();
}

// isHolding reports whether a wait is shown.
export const isHolding = () => !box.hidden;

function still(): void {
	clearInterval(ticking);
	box.hidden = true;
}

interface Wait {
	readonly attempt: number;
	readonly attempts: number;
	readonly delay: number; // milliseconds
	readonly queued: boolean; // others come first, and nothing has failed
	readonly over: () => void; // called when the next attempt starts
	readonly stop: () => void; // called when the buyer stops it
}

// hold shows the wait for the next attempt.
export function hold({ attempt, attempts, delay, queued, over, stop }: Wait): void {
	still();
	const end = Date.now() + delay;
	const key = queued ? "queue" : navigator.onLine ? "failed" : "offline";
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
		countdown.textContent = text(queued ? "queue.next" : "failed.next", { n: String(n), attempt: String(attempt), attempts: String(attempts) });
		if (n > 0) return;
		still();
		over();
	};
	tick();
	if (queued) announce(countdown.textContent);
	ticking = setInterval(tick, 1000);
	box.hidden = false;
}

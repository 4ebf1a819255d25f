// The script of the status page. While the payment is pending it polls the order's status and reloads the page when that changes.
// Without JavaScript the page refreshes itself.

import { tell } from "./embed.ts";
import { dropBrokenImages } from "./images.ts";

const { standing, refresh, order } = document.body.dataset;

// The page around this one, if there is one, learns the result. A page without an order says why there can be none.
if (standing?.startsWith("paid")) tell("completed", { orderId: order });
else if (!order) tell("error", { code: standing });

// The form's draft is no longer needed.
if (!refresh) {
	try {
		sessionStorage.removeItem(location.pathname.replace(/\/complete$/, ""));
	} catch {
		// storage is forbidden, so there is no draft
	}
}

async function look(): Promise<void> {
	const answer = await fetch(location.href, { method: "HEAD", credentials: "omit" });
	if (answer.ok && answer.headers.get("X-Order-Standing") !== standing) location.reload();
}

// A page in the background does not poll. It does so as soon as it is visible again.
function tick(): void {
	if (document.visibilityState === "visible") look().catch(() => {}); // the next tick polls again
}

if (refresh) {
	setInterval(tick, Number(refresh) * 1000);
	document.addEventListener("visibilitychange", tick);
}

dropBrokenImages();

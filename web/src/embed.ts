// The page in a frame of a merchant's page: client/embed.ts, there, opens the frame and connects. The page then tells it what
// happens. It answers only to its parent window, and only if that has an origin that the store lists.

const listed = document.documentElement.dataset["frames"]?.split(" ") ?? [];
let merchant = ""; // origin of the parent, once it has connected
let report: Promise<void> | undefined;

/** The merchant's page to return to after paying, "" if it wishes none. */
export let returnUrl = "";

// tell posts a message to the merchant's page, also one that has not connected yet.
export function tell(crepe: string, more: object = {}): void {
	void report?.then(() => parent.postMessage({ crepe, ...more }, merchant));
}

if (parent !== window) {
	report = new Promise((connected) => {
		addEventListener("message", ({ source, origin, data }) => {
			if (source !== parent || !listed.includes(origin) || data?.crepe !== "connect") return;
			merchant = origin;
			if (typeof data.returnUrl === "string" && data.returnUrl.startsWith(`${origin}/`)) returnUrl = data.returnUrl;
			connected();
		});
	});
	document.documentElement.dataset["framed"] = ""; // the page is as high as its content
	tell("loaded");
	new ResizeObserver(() => tell("resized", { height: document.body.offsetHeight })).observe(document.body);
	addEventListener("keydown", (event) => {
		if (event.key === "Escape" && !event.defaultPrevented) tell("escape");
	});
}

// leave opens the payment provider's page, which no frame may show, in the place of the whole page. The merchant's page does so
// itself if it can: its own navigation needs no gesture of the buyer, whereas a frame's may come too late after the click. Where the
// frame may not navigate, because it is sandboxed, offer gets to ask for a click on a link to a new tab.
export function leave(url: URL, offer: () => void): void {
	if (parent === window) location.assign(url);
	else if (merchant && parent === top) tell("pay", { url: url.href, page: location.href });
	else {
		try {
			top!.location.href = url.href;
		} catch {
			offer();
		}
	}
}

// The page of an order: while it is not paid, asks the server how it stands, and loads the page again when that has changed.
// Without a script the page comes again by itself, changed or not.

const { standing, refresh } = document.body.dataset;

// What the form has kept in this tab is of no use any more.
if (!refresh) {
	try {
		sessionStorage.removeItem(location.pathname.replace(/\/complete$/, ""));
	} catch {
		// forbidden: then nothing was kept
	}
}

async function look(): Promise<void> {
	const answer = await fetch(location.href, { method: "HEAD", credentials: "omit" });
	if (answer.ok && answer.headers.get("X-Order-Standing") !== standing) location.reload();
}

// Nobody reads a page in the background; when it comes back it looks at once.
function tick(): void {
	if (document.visibilityState === "visible") look().catch(() => {}); // it is asked again soon enough
}

if (refresh) {
	setInterval(tick, Number(refresh) * 1000);
	document.addEventListener("visibilitychange", tick);
}

// Shows the hosted checkout within a merchant's page. The checkout answers only to origins that its store lists, and this code only
// to the origin and the window of its frame. The page in the frame is ../embed.ts.

/** What happens in an embedded checkout. */
export type CheckoutEvent =
	/** The checkout is ready for input. */
	| { readonly type: "loaded" }
	/** Its content has another height, in CSS pixels. The frame has it already. */
	| { readonly type: "resized"; readonly height: number }
	/** The order is paid. It is told to a page of the buyer's browser, so it is no proof: that is your webhook. */
	| { readonly type: "completed"; readonly orderId: string }
	/** The frame has been removed: by the buyer or by {@link EmbeddedCheckout.close}. */
	| { readonly type: "closed" }
	/** The checkout cannot go on. "not-loaded": it did not answer, because the store does not list this origin or the network failed. */
	| { readonly type: "error"; readonly code: string };

export interface EmbedOptions {
	/** The element to show the checkout in; by default it is an overlay over the page. */
	readonly into?: Element | undefined;
	/**
	 * Where the payment provider sends the buyer after paying: a URL of this page's origin, by default this page. It replaces the
	 * session's successUrl; "" keeps that.
	 */
	readonly returnUrl?: string | undefined;
	/** Name of the frame, for screen readers; "Checkout" by default. */
	readonly title?: string | undefined;
	/** Name of the overlay's button, for screen readers; "Close" by default. */
	readonly closeLabel?: string | undefined;
	readonly onEvent?: ((event: CheckoutEvent) => void) | undefined;
}

export interface EmbeddedCheckout {
	/** Removes the checkout. The session stays as it is. */
	close(): void;
}

const storageKey = "crepe-checkout";
const patience = 20_000;

const css = (element: HTMLElement, style: Partial<CSSStyleDeclaration>) => Object.assign(element.style, style);

/**
 * Opens a checkout in an overlay or an element. The URL is a session's checkoutUrl or a permanent link. The payment provider's page
 * replaces this one; call {@link resumeCheckout} on the page to which the buyer returns.
 */
export function openCheckout(url: string, options: EmbedOptions = {}): EmbeddedCheckout {
	const { into, returnUrl = location.href.split("#")[0], title = "Checkout", closeLabel = "Close", onEvent } = options;
	const { origin, href } = new URL(url, location.href);
	const told = new Set<string>();
	const tell = (event: CheckoutEvent) => {
		if (event.type !== "resized" && told.has(event.type)) return;
		told.add(event.type);
		onEvent?.(event);
	};

	const frame = document.createElement("iframe");
	frame.title = title;
	frame.src = href;
	css(frame, { display: "block", width: "100%", height: "640px", border: "0" });
	const overlay = into ? null : document.createElement("dialog");
	const root = document.documentElement;
	const { overflow } = root.style;

	const close = () => {
		if (told.has("closed")) return;
		removeEventListener("message", receive);
		clearTimeout(timer);
		overlay?.close(); // returns the focus
		(overlay ?? frame).remove();
		if (overlay) root.style.overflow = overflow;
		remember(null);
		tell({ type: "closed" });
	};

	const receive = ({ source, origin: sender, data }: MessageEvent) => {
		if (source !== frame.contentWindow || sender !== origin) return;
		switch (data?.crepe) {
			case "loaded":
				clearTimeout(timer);
				if (overlay) frame.focus();
				return tell({ type: "loaded" });
			case "resized":
				frame.style.height = `${+data.height}px`;
				return tell({ type: "resized", height: +data.height });
			case "escape":
				if (overlay) close();
				return;
			case "pay": {
				const target = new URL(data.url);
				if (target.protocol !== "https:" && target.origin !== origin) return; // never javascript:
				const { pathname, search } = new URL(data.page);
				remember({ url: `${origin}${pathname}/complete${search}`, inline: !overlay }); // waits for the payment
				return location.assign(target);
			}
			case "completed":
				remember(null);
				return tell({ type: "completed", orderId: `${data.orderId}` });
			case "error":
				return tell({ type: "error", code: `${data.code}` });
		}
	};

	addEventListener("message", receive);
	frame.addEventListener("load", () => frame.contentWindow?.postMessage({ crepe: "connect", returnUrl }, origin));
	const timer = setTimeout(() => tell({ type: "error", code: "not-loaded" }), patience);
	if (overlay) {
		const button = document.createElement("button");
		button.type = "button";
		button.ariaLabel = closeLabel;
		button.textContent = "✕";
		button.addEventListener("click", close);
		css(button, { position: "fixed", insetBlockStart: "8px", insetInlineEnd: "8px", width: "44px", height: "44px", font: "20px sans-serif", color: "#17181c", background: "#fff", border: "1px solid #8d8e90", borderRadius: "22px", cursor: "pointer" });
		overlay.ariaLabel = title;
		overlay.append(button, frame);
		overlay.addEventListener("cancel", (event) => {
			event.preventDefault();
			close();
		});
		css(overlay, { display: "grid", placeItems: "center", width: "100vw", maxWidth: "100vw", height: "100dvh", maxHeight: "100dvh", boxSizing: "border-box", padding: "60px 0 0", border: "0", background: "rgb(0 0 0 / .6)" });
		css(frame, { maxWidth: "1080px", maxHeight: "100%", background: "#fff" });
		document.body.append(overlay);
		root.style.overflow = "hidden";
		overlay.showModal();
	} else into!.append(frame);
	return { close };
}

/**
 * Opens the checkout again from which this tab has left for the payment provider, if there is one. It then tells "completed" once the
 * payment has arrived. An overlay returns as one; what was in an element needs `into` again.
 */
export function resumeCheckout(options: EmbedOptions = {}): EmbeddedCheckout | null {
	let left: { url: string; inline: boolean } | null = null;
	try {
		left = JSON.parse(sessionStorage.getItem(storageKey) ?? "null");
	} catch {
		// storage is forbidden
	}
	return left && left.inline === !!options.into ? openCheckout(left.url, options) : null;
}

function remember(left: { url: string; inline: boolean } | null): void {
	try {
		if (left) sessionStorage.setItem(storageKey, JSON.stringify(left));
		else sessionStorage.removeItem(storageKey);
	} catch {
		// storage is forbidden: the page does not resume
	}
}

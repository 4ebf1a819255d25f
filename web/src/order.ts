// The two calls that make an order, and what can come of them.

import type { Billing } from "./core/core.ts";
import { data } from "./page.ts";

// Refusal is one entry of an error answer.
export interface Refusal {
	readonly code?: string;
	readonly path?: string;
}

export type Outcome =
	| { readonly url: URL }
	| { readonly status: 400 | 401 | 403 | 409; readonly refusals: readonly Refusal[] }
	| { readonly status: 0 }; // the server failed or was not reached: nothing is charged, the same request may be sent again

// patience is how long an answer may take, in milliseconds; the server gives up long before.
const patience = 30_000;

// placeOrder asks for the payment page. Without a token of the merchant's, the buyer is anonymous and gets one for this
// session alone.
export async function placeOrder(token: string | null, buyerEmail: string, billingDetail: Billing): Promise<Outcome> {
	try {
		if (!token) {
			const issued = await post("auth/issue-shopper-token", { "X-Store-Slug": data.store }, { checkoutSessionId: data.session });
			if (!("data" in issued)) return issued;
			token = issued.data["token"] ?? "";
		}
		const made = await post("onetime-order/create-order", { Authorization: `Bearer ${token}` }, {
			checkoutSessionId: data.session, buyerEmail, billingDetail,
		});
		if (!("data" in made)) return made;
		const url = payable(made.data["checkoutUrl"] ?? "");
		return url ? { url } : { status: 0 };
	} catch {
		return { status: 0 };
	}
}

type Answer = { readonly data: Readonly<Record<string, string>> } | Exclude<Outcome, { url: URL }>;

async function post(action: string, credential: Record<string, string>, body: unknown): Promise<Answer> {
	const response = await fetch(`/v1/actions/${action}`, {
		method: "POST",
		headers: { "Content-Type": "application/json", "X-Environment": data.environment, ...credential },
		body: JSON.stringify(body),
		credentials: "omit",
		signal: AbortSignal.timeout(patience),
	});
	const { status } = response;
	if (status >= 500) return { status: 0 };
	const answer = (await response.json()) as { data: Record<string, string> | null; errors?: Refusal[] };
	if (response.ok && answer.data) return { data: answer.data };
	const refusals = answer.errors ?? [];
	return { status: status === 401 || status === 403 || status === 409 ? status : 400, refusals };
}

// payable is the URL if the buyer may be sent there: to this very origin, where the sandbox is, or to a payment provider's.
function payable(target: string): URL | null {
	const url = new URL(target, location.href);
	const known = url.origin === location.origin || (url.protocol === "https:" && data.payOrigins.includes(url.origin));
	return known ? url : null;
}

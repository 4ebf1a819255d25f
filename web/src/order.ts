// The order itself. The published client does the work: its retries, its errors and its idempotency are the page's.

import { call, visitor } from "./api.ts";
import { WaffoPancake, WaffoPancakeError, type Retry } from "./client/client.ts";
import type { Billing } from "./core/core.ts";
import { keyOf } from "./draft.ts";
import { data } from "./page.ts";
import { token } from "./token.ts";

const client = new WaffoPancake({ sessionToken: credential, environment: data.environment });

// placeOrder asks for the payment page, again and again as the client does. It rejects with a WaffoPancakeError, or with the
// signal's reason; the same order may then be asked for again.
export async function placeOrder(
	buyerEmail: string, billingDetail: Billing, signal: AbortSignal, onRetry: (retry: Retry) => void,
): Promise<URL> {
	const order = { checkoutSessionId: data.session, buyerEmail, billingDetail };
	const { checkoutUrl } = await client.orders.createOnetime(order, { idempotencyKey: keyOf(order), signal, onRetry });
	return payable(checkoutUrl);
}

// A buyer without a token of the merchant's gets one of this session alone. It is good for one order, so every attempt has its
// own: one that never learns its answer may have used its token up.
async function credential(): Promise<string> {
	return token ?? (await call<{ token: string }>("auth/issue-shopper-token", visitor)).token;
}

// payable is the URL if the buyer may be sent there: to this very origin, where the sandbox is, or to a payment provider's.
function payable(target: string): URL {
	const url = new URL(target, location.href);
	const known = url.origin === location.origin || (url.protocol === "https:" && data.payOrigins.includes(url.origin));
	if (!known) throw new WaffoPancakeError(0, [{ message: `not a payment page: ${url.origin}`, layer: "client" }]);
	return url;
}

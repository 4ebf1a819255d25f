// Creates the order with the published client, including its retries, errors and idempotency keys.

import { call, visitor } from "./api.ts";
import { WaffoPancake, WaffoPancakeError, type BillingAddress, type Retry } from "./client/client.ts";
import type { Billing } from "./core/core.ts";
import { agreed } from "./consent.ts";
import { keyOf } from "./draft.ts";
import { returnUrl } from "./embed.ts";
import { data } from "./page.ts";
import { expectedTotal } from "./receipt.ts";
import { token } from "./token.ts";

const client = new WaffoPancake({ sessionToken: credential, environment: data.environment });

// placeOrder creates the order and returns the payment page's URL. It retries as the client does, and rejects with a
// WaffoPancakeError or the signal's reason. The call may be repeated.
export async function placeOrder(
	buyerEmail: string, billingDetail: Billing, billingAddress: BillingAddress | undefined, signal: AbortSignal, onRetry: (retry: Retry) => void,
): Promise<URL> {
	const order = { checkoutSessionId: data.session, buyerEmail, billingDetail, billingAddress, successUrl: returnTo(), consents: agreed(), expectedTotal: expectedTotal() };
	const { checkoutUrl } = await client.orders.createOnetime(order, { idempotencyKey: keyOf(order), signal, onRetry });
	return payable(checkoutUrl);
}

// returnTo returns the merchant's page around this one, if the server lets the buyer return there.
function returnTo(): string | undefined {
	const allowed = data.returnOrigins?.some((origin) => returnUrl.startsWith(`${origin}/`));
	return allowed ? returnUrl : undefined;
}

// credential returns the session token or, for an anonymous buyer, a new shopper token. A shopper token is valid for one order, so
// every attempt gets its own: an attempt without an answer may have spent it.
async function credential(): Promise<string> {
	return token ?? (await call<{ token: string }>("auth/issue-shopper-token", visitor)).token;
}

// payable returns the URL if it is on this origin, as the sandbox is, or on a payment provider's. It throws for any other.
function payable(target: string): URL {
	const url = new URL(target, location.href);
	const known = url.origin === location.origin || (url.protocol === "https:" && data.payOrigins.includes(url.origin));
	if (!known) throw new WaffoPancakeError(0, [{ message: `not a payment page: ${url.origin}`, layer: "client" }]);
	return url;
}

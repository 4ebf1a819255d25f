// Calls a running `crepe dev` as a merchant's server does. Exports what tests in any browser need.

import { createHash, createSign } from "node:crypto";
import { readFileSync } from "node:fs";

const file = process.env.DEV_JSON;
if (!file) throw new Error("DEV_JSON must name the dev.json of a running `crepe dev`");
export const dev = JSON.parse(readFileSync(file, "utf8"));

// call posts to the API.
async function call(action, headers, body) {
	const response = await fetch(`${dev.baseUrl}/v1/actions/${action}`, {
		method: "POST",
		headers: { "Content-Type": "application/json", ...headers },
		body,
	});
	const answer = await response.json();
	if (!response.ok) throw new Error(`${action}: ${JSON.stringify(answer.errors)}`);
	return answer.data;
}

// newSession opens a checkout session for the demo product with the store's slug.
export function newSession(more = {}) {
	const body = JSON.stringify({ productId: dev.products[0].id, currency: "EUR", ...more });
	return call("checkout/create-session", { "X-Store-Slug": dev.storeSlug, "X-Environment": "test" }, body);
}

// signed posts with the merchant's signature; the key determines the environment.
async function signed(action, request, environment = "test") {
	const body = JSON.stringify(request);
	const timestamp = String(Math.floor(Date.now() / 1000));
	const digest = createHash("sha256").update(body).digest("base64");
	const canonical = `POST\n/v1/actions/${action}\n${timestamp}\n${digest}`;
	const signature = createSign("sha256").update(canonical).sign(dev.privateKey[environment], "base64");
	return call(action, { "X-Merchant-Id": dev.merchantId, "X-Timestamp": timestamp, "X-Signature": signature }, body);
}

// newToken issues a session token for a buyer identity.
export async function newToken(buyerIdentity, environment = "test") {
	return (await signed("auth/issue-session-token", { storeId: dev.storeId, buyerIdentity }, environment)).token;
}

// newMerchantSession opens a checkout session with fields that only the merchant may set.
export function newMerchantSession(more = {}) {
	return signed("checkout/create-session", { productId: dev.products[0].id, currency: "EUR", ...more });
}

// newProduct puts a product on sale in the test environment.
export async function newProduct(more) {
	const prices = { EUR: { amount: "27.00", taxCategory: "ebook" } };
	return (await signed("onetime-product/create-product", { storeId: dev.storeId, prices, ...more })).product;
}

// newRefund refunds a part of a payment.
export function newRefund(paymentId, amount, currency = "EUR") {
	return signed("refund-ticket/create-ticket", { paymentId, reason: "Not as described", requestedAmount: { amount, currency } });
}

// setStore changes settings of the demo store.
export const setStore = (settings) => signed("store/update-store", { id: dev.storeId, ...settings });

export const createOrder = "onetime-order/create-order";
export const sandbox = `${dev.baseUrl}/sandbox/`;
export const thanks = "Thank you. Your order is complete.";
export const submit = ".pay > button"; // the form's submit button

// The API calls of the page besides create-order.

import { WaffoPancakeError, type ApiError } from "./client/client.ts";
import { data } from "./page.ts";
import { token } from "./token.ts";

// visitor is the credential of an anonymous buyer, buyer that of the session token, if there is one.
export const visitor = { "X-Store-Slug": data.store };
export const buyer = token ? { Authorization: `Bearer ${token}` } : visitor;

// call posts one request about this session. It rejects with a WaffoPancakeError, whose status is 0 if no answer arrived.
export async function call<T>(action: string, credential: Record<string, string>, more: object = {}): Promise<T> {
	const response = await fetch(`/v1/actions/${action}`, {
		method: "POST",
		headers: { "Content-Type": "application/json", "X-Environment": data.environment, ...credential },
		body: JSON.stringify({ checkoutSessionId: data.session, ...more }),
		credentials: "omit",
		signal: AbortSignal.timeout(10_000),
	}).catch((cause: unknown) => {
		throw failure(0, [], cause);
	});
	const answer = (await response.json().catch(() => ({}))) as { data?: T; errors?: ApiError[] };
	if (response.ok && answer.data) return answer.data;
	throw failure(response.status, answer.errors ?? []);
}

function failure(status: number, errors: readonly ApiError[], cause?: unknown): WaffoPancakeError {
	return new WaffoPancakeError(status, errors, 0, cause);
}

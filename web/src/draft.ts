// The draft in sessionStorage, for this tab only: what the buyer has typed and the order's idempotency key. Both survive a reload
// and the way back from the payment page.

import { control, fields, isBusiness, values as formValues, type Field } from "./fields.ts";
import { data } from "./page.ts";

// Without storage, which a browser may refuse, the page works without a draft. status.ts removes it.
const storageKey = location.pathname;

interface Draft {
	values?: Partial<Record<Field, string>>;
	isBusiness?: boolean;
	key?: { readonly name: string; readonly order: string; readonly round: number };
}

const draft = read();

function read(): Draft {
	try {
		return (JSON.parse(sessionStorage.getItem(storageKey) ?? "{}") ?? {}) as Draft;
	} catch {
		return {};
	}
}

function write(): void {
	try {
		sessionStorage.setItem(storageKey, JSON.stringify(draft));
	} catch {
		// full or forbidden
	}
}

// keep stores the form's values.
export function keep(): void {
	draft.values = Object.fromEntries(fields.map((field) => [field, control[field].value]));
	draft.isBusiness = isBusiness.checked;
	write();
}

// restore fills in the stored values. It reports whether they differ from what the server rendered.
export function restore(): boolean {
	const { values } = draft;
	if (!values) return false;
	const before = formValues();
	for (const field of fields) control[field].value = values[field] ?? "";
	isBusiness.checked = draft.isBusiness ?? false;
	return before !== formValues();
}

// keyOf returns the idempotency key of an order: the stored one while the order and the server's round are the same, else a new
// one.
export function keyOf(order: object): string {
	const text = JSON.stringify(order);
	if (draft.key?.order !== text || draft.key.round !== data.round) {
		draft.key = { name: crypto.getRandomValues(new Uint32Array(4)).join("-"), order: text, round: data.round };
		write();
	}
	return draft.key.name;
}

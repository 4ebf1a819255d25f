// What the buyer has typed, kept for this tab alone, so that a reload or the way back loses nothing; and with it the key that
// names an order to the server, so that asking twice for the same is asking once.

import { control, fields, isBusiness, type Field } from "./fields.ts";
import { data } from "./page.ts";

// Without storage (a browser may refuse it) nothing is kept, and nothing else changes. status.ts removes what is kept.
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

// keep remembers the form.
export function keep(): void {
	draft.values = Object.fromEntries(fields.map((field) => [field, control[field].value]));
	draft.isBusiness = isBusiness.checked;
	write();
}

// restore fills the form with what was kept, and reports whether that is something else than the server has put there.
export function restore(): boolean {
	const { values } = draft;
	if (!values) return false;
	const before = JSON.stringify([fields.map((field) => control[field].value), isBusiness.checked]);
	for (const field of fields) control[field].value = values[field] ?? "";
	isBusiness.checked = draft.isBusiness ?? false;
	return before !== JSON.stringify([fields.map((field) => control[field].value), isBusiness.checked]);
}

// keyOf is the idempotency key for an order: the same as long as the order is the same and the server has not had to begin
// anew with it.
export function keyOf(order: object): string {
	const text = JSON.stringify(order);
	if (draft.key?.order !== text || draft.key.round !== data.round) {
		draft.key = { name: crypto.getRandomValues(new Uint32Array(4)).join("-"), order: text, round: data.round };
		write();
	}
	return draft.key.name;
}

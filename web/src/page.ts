// Access to the page: the server's data as a block of JSON, messages, and elements by id.

import type { Sale } from "./core/core.ts";

export interface Data {
	readonly store: string;
	readonly merchant: string;
	readonly session: string;
	readonly environment: "test" | "prod";
	readonly payOrigins: readonly string[];
	readonly returnOrigins?: readonly string[]; // where a buyer may return from the provider, of those that may frame the page
	readonly core: { readonly url: string; readonly integrity: string };
	readonly sale: Sale;
	readonly rates?: string; // URL prefix of the operator's own tax rates, if there are any
	readonly rules?: Rules; // the store's own, if there are any
	readonly now: number; // Unix milliseconds, server time
	readonly expiresAt: number;
	readonly round: number; // ended payment attempts; the idempotency key changes with it
	readonly money: Notation;
	readonly percent: Notation;
	readonly texts: Readonly<Record<string, string>>;
}

// Rules are what the page knows of a store's rules: their module, if it runs in the page, and the draft that it gets, without the buyer.
interface Rules {
	readonly module?: string; // URL
	readonly fuel: number;
	readonly draft: { readonly config?: object };
}

// Notation describes how the locale formats decimals of one kind. The script does not use Intl, because browsers have different
// versions of its data, and a total must not change its format when the script updates it.
interface Notation {
	readonly before: string;
	readonly after: string;
	readonly decimal: string;
	readonly group: string;
	readonly least: number; // digits before the first group separator
}

// written formats a decimal as the server does.
export function written({ before, after, decimal, group, least }: Notation, value: string): string {
	const [whole = "", fraction] = value.split(".");
	const grouped = whole.length < 3 + least ? whole : whole.replace(/\B(?=(\d{3})+$)/g, group);
	return before + grouped + (fraction ? decimal + fraction : "") + after;
}

export function byId<T extends HTMLElement>(id: string): T {
	const element = document.getElementById(id);
	if (!element) throw new Error(`the page has no #${id}`);
	return element as T;
}

export const data = JSON.parse(byId("data").textContent ?? "") as Data;

const learned = new Map<string, string>();

// learn adds the message of a store's rule, which is no template, and returns its key.
export function learn(code: string, path: string, message: string): string {
	const key = `${code} ${path}`;
	learned.set(key, message);
	return key;
}

// text returns the message for a key, with its placeholders replaced.
export function text(key: string, slots: Readonly<Record<string, string>> = {}): string {
	return learned.get(key) ?? (data.texts[key] ?? "").replace(/\{(\w+)\}/g, (_, slot: string) => slots[slot] ?? "");
}

// textIn returns the message for a key in a country.
export function textIn(country: string, key: string, slots: Readonly<Record<string, string>> = {}): string {
	const own = `${key}.${country}`;
	return text(own in data.texts ? own : key, slots);
}

// element creates an element with text and elements as children. It never parses HTML.
export function element<K extends keyof HTMLElementTagNameMap>(
	tag: K,
	properties: Partial<HTMLElementTagNameMap[K]> = {},
	...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
	const made = Object.assign(document.createElement(tag), properties);
	made.append(...children);
	return made;
}

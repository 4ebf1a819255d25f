// What the server has put into the page: facts and sentences as a block of JSON, and the elements by their ids.

import type { Sale } from "./core/core.ts";

export interface Data {
	readonly store: string;
	readonly merchant: string;
	readonly session: string;
	readonly environment: "test" | "prod";
	readonly payOrigins: readonly string[];
	readonly core: { readonly url: string; readonly integrity: string };
	readonly sale: Sale;
	readonly rates?: string; // where the operator's own tax rates lie, if there are any
	readonly now: number; // Unix milliseconds, by the server's clock
	readonly expiresAt: number;
	readonly round: number; // another one: the same order asked for again is a new one
	readonly money: Notation;
	readonly percent: Notation;
	readonly texts: Readonly<Record<string, string>>;
}

// Notation is how the page's language writes decimals of one kind. Intl could, but browsers come with different editions of
// its data, and a total must not change its look when the script takes over.
interface Notation {
	readonly before: string;
	readonly after: string;
	readonly decimal: string;
	readonly group: string;
	readonly least: number; // digits before the first separator of groups
}

// written is a decimal in a notation, as the server writes it.
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

// text is the sentence for a key with its slots filled in.
export function text(key: string, slots: Readonly<Record<string, string>> = {}): string {
	return (data.texts[key] ?? "").replace(/\{(\w+)\}/g, (_, slot: string) => slots[slot] ?? "");
}

// textIn is the sentence for a key as buyers in a country read it.
export function textIn(country: string, key: string, slots: Readonly<Record<string, string>> = {}): string {
	const own = `${key}.${country}`;
	return text(own in data.texts ? own : key, slots);
}

// element makes an element that holds text and other elements. Nothing is ever parsed as HTML.
export function element<K extends keyof HTMLElementTagNameMap>(
	tag: K,
	properties: Partial<HTMLElementTagNameMap[K]> = {},
	...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
	const made = Object.assign(document.createElement(tag), properties);
	made.append(...children);
	return made;
}

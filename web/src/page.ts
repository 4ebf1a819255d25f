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
	readonly digits: number;
	readonly texts: Readonly<Record<string, string>>;
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
export function textIn(country: string, key: string): string {
	return data.texts[`${key}.${country}`] ?? data.texts[key] ?? "";
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

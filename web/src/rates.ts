// The operator's own tax rates. The page has none of them; it fetches the few about the buyer's territory when that is known.

import { data } from "./page.ts";

const files = new Map<string, string | undefined>(); // by territory; undefined while one is on its way, or lost

// ratesAt is what the operator says about a territory, "DE" or "US-TX", for the core's quote; undefined as long as that is not
// known, and arrived is called when it is. A file that does not come leaves the page without a total, not with a wrong one.
export function ratesAt(territory: string, arrived: () => void): string | undefined {
	if (!data.rates || !territory) return "";
	if (!files.has(territory)) {
		files.set(territory, undefined);
		fetch(data.rates + territory)
			.then((response) => (response.ok ? response.text() : Promise.reject(new Error(`HTTP ${response.status}`))))
			.then((text) => files.set(territory, text))
			.then(arrived)
			.catch((error: unknown) => console.warn("no total without the rates:", error));
	}
	return files.get(territory);
}

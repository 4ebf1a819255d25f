// The operator's own tax rates, fetched for the buyer's territory once it is known.

import { data } from "./page.ts";

const files = new Map<string, string | undefined>(); // by territory; undefined while loading or after a failure

// ratesAt returns the rows of a territory, "DE" or "US-TX", for the core's quote. It returns undefined until they have loaded, and
// then calls arrived. If they cannot be loaded, the page shows no total rather than a wrong one.
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

// Prints the standard rates of the npm package sales-tax as one object: percentages by jurisdiction ("DE", "US-TX"), and
// for each instant at which one changed the percentage before. The package adds a state's rate to its country's; here
// harmonised sales tax is one rate, as in the law.
const table = require("sales-tax/res/sales_tax_rates.json");

const percent = (rate) => Math.round(rate * 1e5) / 1e3;
const summary = (entry, federal) => ({
  rate: percent(entry.rate + federal),
  changes: Object.entries(entry.before ?? {}).map(([instant, old]) => ({ instant, rate: percent(old.rate + federal) })),
});

const rates = {};
for (const [country, entry] of Object.entries(table)) {
  rates[country] = summary(entry, 0);
  if (country !== "US" && country !== "CA") continue;
  for (const [state, own] of Object.entries(entry.states)) {
    rates[`${country}-${state}`] = summary(own, own.type === "hst" ? entry.rate : 0);
  }
}
console.log(JSON.stringify(rates));

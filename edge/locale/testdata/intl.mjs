// Formats and sorts with Chromium's Intl, for comparison with package locale. Questions are JSON on standard input, answers JSON
// on standard output.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const { chromium } = createRequire(new URL("../../../web/", import.meta.url))("playwright-core");
const questions = JSON.parse(readFileSync(0, "utf8"));
const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", // Debian package chromium
	args: ["--no-sandbox"], // tests run as root in containers
});
const page = await browser.newPage();
const answers = await page.evaluate((questions) => {
	const ask = ({ tag, amounts, percents, dates, counts, lists }) => {
		const plurals = new Intl.PluralRules(tag);
		const percentage = new Intl.NumberFormat(tag, { style: "percent", maximumFractionDigits: 5 });
		const day = new Intl.DateTimeFormat(tag, { dateStyle: "long", timeZone: "UTC" });
		const { compare } = new Intl.Collator(tag);
		return {
			amounts: amounts.flatMap(({ currency, digits, amounts }) => {
				const money = new Intl.NumberFormat(tag, {
					style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits,
				});
				return amounts.map((amount) => money.format(amount));
			}),
			percents: percents.map((percent) => percentage.format(`${percent}e-2`)),
			dates: dates.map((date) => day.format(new Date(date))),
			counts: counts.map((n) => plurals.select(n)),
			lists: lists.map((list) => list.toSorted(compare)),
		};
	};
	return questions.map(ask);
}, questions);
await browser.close();
console.log(JSON.stringify(answers));

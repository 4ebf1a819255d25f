// The JSON Schema of a billing detail, which ajv compiles ahead of time. It has a branch for each set of rules, selected by the country. It checks the
// format of tax ids, as jsvat-next has them, but no check digits.
import Ajv from "ajv";
import standalone from "ajv/dist/standalone/index.js";
import vat from "jsvat-next";
import { countries, longest, members, postcodes, readable, states } from "./rules.mjs";

const line = (field, more) => ({ type: "string", maxLength: longest[field], pattern: readable, ...more });

const kinds = Object.fromEntries(Object.values(vat).filter((v) => v.codes).map((kind) => [kind.codes[0], kind.rules.regex]));

const taxId = (country) => ({
	type: "string",
	pattern: kinds[country].map((shape) => shape.source).join("|"),
});

function branch(country) {
	const member = members.has(country);
	return {
		properties: {
			isBusiness: { type: "boolean" },
			state: states[country] ? { enum: [...states[country]] } : line("state"),
			businessName: line("businessName"),
			taxId: member ? taxId(country) : line("taxId"),
			postcode: line("postcode", postcodes[country] && { pattern: postcodes[country] }),
		},
		required: states[country] ? ["isBusiness", "state"] : ["isBusiness"],
		if: { properties: { isBusiness: { const: true } } },
		then: { required: member ? ["businessName", "taxId"] : ["businessName"] },
	};
}

// Countries with the same rules share a branch.
const branches = new Map();
for (const country of countries) {
	const rules = JSON.stringify(branch(country));
	branches.set(rules, [...(branches.get(rules) ?? []), country]);
}

const definitions = {};
for (const [rules, row] of branches) {
	const { properties, ...rest } = JSON.parse(rules);
	definitions[row[0]] = { properties: { country: { enum: row }, ...properties }, ...rest };
}

const schema = {
	type: "object",
	required: ["country"],
	discriminator: { propertyName: "country" },
	oneOf: Object.keys(definitions).map((name) => ({ $ref: `#/definitions/${name}` })),
	definitions,
};

const ajv = new Ajv({
	allErrors: true, discriminator: true, inlineRefs: false, strictTypes: false, strictRequired: false,
	code: { source: true, esm: true, lines: true },
});
export const validator = standalone(ajv, ajv.compile(schema));

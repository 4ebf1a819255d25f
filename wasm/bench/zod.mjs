// Validates a billing detail with zod and jsvat-next: every rule of core/billing, with all problems at once.
import {
	austria, belgium, bulgaria, checkVAT, croatia, cyprus, czechRepublic, denmark, estonia, finland, france, germany, greece,
	hungary, ireland, italy, latvia, lithuania, luxembourg, malta, netherlands, norway, poland, portugal, romania, slovakiaRepublic,
	slovenia, spain, sweden, switzerland, unitedKingdom,
} from "jsvat-next";
import * as z from "zod";
import { capitals, countries, longest, members, plainPostcode, plainTaxId, postcodes, readable, states } from "./rules.mjs";

const text = z.string().nullish().transform((s) => s?.trim() ?? "");
const line = new RegExp(readable);
const shapes = Object.fromEntries(Object.entries(postcodes).map(([country, pattern]) => [country, new RegExp(pattern)]));
const kinds = Object.fromEntries([
	austria, belgium, bulgaria, croatia, cyprus, czechRepublic, denmark, estonia, finland, france, germany, greece, hungary, ireland,
	italy, latvia, lithuania, luxembourg, malta, netherlands, norway, poland, portugal, romania, slovakiaRepublic, slovenia, spain,
	sweden, switzerland, unitedKingdom,
].map((kind) => [kind.codes[0], [kind]]));

const fits = (field, value) => value.length <= longest[field] && line.test(value);

const schema = z
	.object({ country: text, isBusiness: z.boolean().nullish(), state: text, businessName: text, taxId: text, postcode: text })
	.transform((typed, context) => {
		const refuse = (field, message) => context.addIssue({ code: "custom", path: ["billingDetail", field], message });
		const country = capitals(typed.country);
		const detail = { country, isBusiness: typed.isBusiness ?? false };
		if (!country) refuse("country", "Missing required field: billingDetail.country");
		else if (!countries.has(country)) refuse("country", "Invalid country: expected ISO 3166-1 alpha-2");
		if (typed.isBusiness == null) refuse("isBusiness", "Missing required field: billingDetail.isBusiness");
		state(detail, typed, refuse);
		if (typed.isBusiness) business(detail, typed, refuse);
		postcode(detail, typed, refuse);
		return detail;
	});

function state(detail, typed, refuse) {
	const known = states[detail.country];
	const code = known ? capitals(typed.state).replace(`${detail.country}-`, "") : typed.state;
	if (known && !code) refuse("state", "State is required for US/CA");
	else if (known ? !known.has(code) : !fits("state", code)) refuse("state", `Invalid state for ${detail.country}`);
	else if (code) detail.state = code;
}

function business(detail, typed, refuse) {
	if (!typed.businessName) refuse("businessName", "businessName is required for business purchases");
	else if (!fits("businessName", typed.businessName)) refuse("businessName", "Invalid businessName");
	else detail.businessName = typed.businessName;
	const member = members.has(detail.country);
	if (!typed.taxId) {
		if (member) refuse("taxId", "taxId is required for EU business purchases");
		return;
	}
	const number = plainTaxId(detail.country, typed.taxId);
	detail.taxIdChecked = detail.country in kinds && checkVAT(number, kinds[detail.country]).isValid;
	if (detail.taxIdChecked) detail.taxId = number;
	else if (member || !fits("taxId", typed.taxId)) refuse("taxId", `Invalid taxId for ${detail.country}`);
	else detail.taxId = typed.taxId;
}

function postcode(detail, typed, refuse) {
	const code = capitals(typed.postcode);
	const shape = shapes[detail.country];
	if (code && (!fits("postcode", code) || (shape && !shape.test(plainPostcode(detail.country, code))))) {
		refuse("postcode", `Invalid postcode for ${detail.country}`);
	} else if (code) detail.postcode = code;
}

function billing(typed) {
	const { success, data, error } = schema.safeParse(typed);
	return success ? { data } : { errors: error.issues.map(({ path, message }) => ({ path: `/${path.join("/")}`, message })) };
}

// load does nothing. Only core.mjs has something to load.
export const load = () => ({ billing });

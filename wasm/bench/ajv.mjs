// Validates a billing detail with the schema of schema.mjs. A schema cannot normalise, so the input is normalised first.
import validate from "made:validator";
import { capitals, members, plainPostcode, plainTaxId } from "./rules.mjs";

function tidy(typed) {
	const detail = {};
	for (const field of ["country", "isBusiness", "state", "businessName", "taxId", "postcode"]) {
		const value = typeof typed[field] === "string" ? typed[field].trim() : typed[field];
		if (value != null && value !== "") detail[field] = value;
	}
	const { country, state, taxId, postcode } = detail;
	if (typeof country === "string") detail.country = capitals(country);
	if (typeof state === "string" && (detail.country === "US" || detail.country === "CA")) {
		detail.state = capitals(state).replace(`${detail.country}-`, "");
	}
	if (typeof taxId === "string" && members.has(detail.country)) detail.taxId = plainTaxId(detail.country, taxId);
	if (typeof postcode === "string") detail.postcode = plainPostcode(detail.country ?? "", capitals(postcode));
	if (detail.isBusiness === false) {
		delete detail.businessName;
		delete detail.taxId;
	}
	return detail;
}

function billing(typed) {
	const detail = tidy(typed);
	if (validate(detail)) return { data: detail };
	return { errors: validate.errors.map(({ instancePath, message }) => ({ path: `/billingDetail${instancePath}`, message })) };
}

// load does nothing. Only core.mjs has something to load.
export const load = () => ({ billing });

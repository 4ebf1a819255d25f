package call

import "github.com/crepe-checkout/crepe/core/billing"

// Billing checks a billing detail, which is the whole input: the object that create-order calls billingDetail. The data is
// the detail normalised; taxIdChecked stands beside a taxId and says whether its check digits hold. The errors are all of
// the detail's, in the order of the form's fields.
func Billing(input string) []byte {
	r := read(input, "", nil)
	in := r.billing(input)
	if r.faulty {
		return refusal(invalidJSON)
	}
	d, problems := billing.Check(in)
	if problems != nil {
		return refusal(problems)
	}
	var w writer
	w.open('{')
	w.name("data")
	w.open('{')
	w.member("country", string(d.Country))
	w.boolean("isBusiness", d.IsBusiness)
	w.optional("state", d.State)
	w.optional("businessName", d.BusinessName)
	if d.TaxID != "" {
		w.member("taxId", d.TaxID)
		w.boolean("taxIdChecked", d.TaxIDChecked)
	}
	w.optional("postcode", d.Postcode)
	w.close("}}")
	return w.text
}

// billing reads a billing detail.
func (r *reader) billing(object string) billing.Input {
	var m [6]string
	r.members(object, "country isBusiness? postcode state businessName taxId", m[:])
	in := billing.Input{Country: m[0], Postcode: m[2], State: m[3], BusinessName: m[4], TaxID: m[5]}
	if m[1] != "" {
		business := m[1] == "true"
		in.IsBusiness = &business
	}
	return in
}

package call

import "github.com/crepe-checkout/crepe/core/billing"

// Billing checks a billing detail, which is the whole input: the object that create-order calls billingDetail. The data is
// the detail normalised; taxIdChecked stands beside a taxId and says whether its check digits hold. The errors are all of
// the detail's, in the order of the form's fields.
func Billing(input string) []byte {
	var in billing.Input
	if !read(input, billingMember(&in)) {
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

// billingMember reads the members of a billing detail into in.
func billingMember(in *billing.Input) func(r *reader, name string) {
	return func(r *reader, name string) {
		switch name {
		case "country":
			in.Country = r.string()
		case "isBusiness":
			if value, given := r.boolean(); given {
				in.IsBusiness = &value
			}
		case "postcode":
			in.Postcode = r.string()
		case "state":
			in.State = r.string()
		case "businessName":
			in.BusinessName = r.string()
		case "taxId":
			in.TaxID = r.string()
		default:
			r.skip()
		}
	}
}

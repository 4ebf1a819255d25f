package ops

import (
	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/email"
	"github.com/crepe-checkout/crepe/core/vatid"
)

// Billing checks a billing detail, which is the whole input: the object that create-order calls billingDetail. The data is
// the normalised detail; taxIdChecked says whether the check digits of its taxId are valid. The errors are all of the
// detail's, in the order of the form's fields.
func (*Instance) Billing(input string) []byte {
	var m [6]string
	if read(input, billingMembers, m[:]).faulty {
		return refuse(InvalidJSON)
	}
	d, problems := billing.Check(*billingOf(&m))
	if problems != nil {
		return refusal(problems)
	}
	w := data()
	w.detail(&d)
	return w.end()
}

// billing reads a billing detail. It returns nil if there is none.
func (r *reader) billing(object string) *billing.Input {
	if object == "" {
		return nil
	}
	var m [6]string
	r.members(object, billingMembers, m[:])
	return billingOf(&m)
}

const billingMembers = "country isBusiness? postcode state businessName taxId"

func billingOf(m *[6]string) *billing.Input {
	in := &billing.Input{Country: m[0], Postcode: m[2], State: m[3], BusinessName: m[4], TaxID: m[5]}
	if m[1] != "" {
		business := m[1] == "true"
		in.IsBusiness = &business
	}
	return in
}

func (w *writer) detail(d *billing.Detail) {
	w.member("country", string(d.Country))
	w.boolean("isBusiness", d.IsBusiness)
	w.optional("state", d.State)
	w.optional("businessName", d.BusinessName)
	if d.TaxID != "" {
		w.member("taxId", d.TaxID)
		w.boolean("taxIdChecked", d.TaxIDChecked)
	}
	w.optional("postcode", d.Postcode)
}

// Fields returns the form for a billing detail: {"country":"US","postcode":"10012"} → {"data":{"fields":[{"name":"country",
// "required":true,"business":false,"label":"country","autocomplete":"billing country"},…],"state":"NY"}}. The fields are
// [billing.Fields]; for an unknown country, the initial ones. The state is [country.Code.StateOf]. "postcodeUnusual":true says
// that the postcode has another format than the country's; the form asks the buyer to look again.
func (*Instance) Fields(input string) []byte {
	var in [2]string
	r := read(input, "country postcode", in[:])
	if r.faulty {
		return refuse(InvalidJSON)
	}
	c, _ := country.Parse(in[0])
	w := data()
	w.begin("fields", '[')
	for _, f := range billing.Fields(c) {
		w.open('{')
		w.member("name", f.Name)
		w.boolean("required", f.Required)
		w.boolean("business", f.Business)
		w.member("label", f.Label)
		w.optional("autocomplete", f.Autocomplete)
		w.optional("inputMode", f.InputMode)
		w.optional("example", f.Example)
		w.raw("}")
	}
	w.raw("]")
	w.optional("state", string(c.StateOf(in[1])))
	if email.Trim(in[1]) != "" && !c.ValidPostcode(in[1]) {
		w.boolean("postcodeUnusual", true)
	}
	return w.end()
}

// TaxID checks a number by itself: {"country":"DE","taxId":"136 695 976"} → {"data":{"taxId":"DE136695976","valid":true}},
// or {"data":{"valid":false,"fault":"check-digit"}}, with the faults of [vatid.Fault]. The country is a code of ISO 3166-1,
// or XI.
func (*Instance) TaxID(input string) []byte {
	var in [2]string
	r := read(input, "country taxId", in[:])
	if r.faulty {
		return refuse(InvalidJSON)
	}
	number, fault := vatid.Parse(in[0], in[1])
	w := data()
	w.optional("taxId", string(number))
	w.boolean("valid", fault == vatid.None)
	if fault != vatid.None {
		w.member("fault", fault.String())
	}
	return w.end()
}

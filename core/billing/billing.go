// Package billing validates billing details: [Check] turns one as typed ([Input]) into one that tax and invoices can rely on
// ([Detail]), or returns all of its problems. [Fields] describes the form.
//
// The rules are those of the published create-order document: country and isBusiness always, state for US and CA,
// businessName for a business, taxId for a business in the EU. Nothing that the document accepts is refused. Outside the EU
// an invalid tax id is kept as typed and marked by [Detail.TaxIDChecked]. A postcode is optional, so one in an unknown format
// is refused only in the countries where the tax depends on it.
//
// Full-width forms and typographic spaces and dashes, as package fold has them, are ASCII in a postcode and a tax id.
package billing

import (
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/email"
	"github.com/crepe-checkout/crepe/core/fold"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/vatid"
)

// Input is a billing detail as typed: the billingDetail of the API. An empty string is a field that was not given.
type Input struct {
	Country      string `json:"country"`
	IsBusiness   *bool  `json:"isBusiness"` // nil if not given
	Postcode     string `json:"postcode"`
	State        string `json:"state"`
	BusinessName string `json:"businessName"`
	TaxID        string `json:"taxId"`
}

// Detail is a valid billing detail. It has only the fields that apply: if the buyer is not a business, it has neither a
// business name nor a tax id, whatever was typed.
type Detail struct {
	Country      country.Code `json:"country"`
	IsBusiness   bool         `json:"isBusiness"`
	Postcode     string       `json:"postcode,omitempty"` // upper case, without the postal mark, "" if not given
	State        string       `json:"state,omitempty"`    // ISO 3166-2 without the country for US and CA; elsewhere as typed
	BusinessName string       `json:"businessName,omitempty"`
	TaxID        string       `json:"taxId,omitempty"`        // normalised with its prefix when TaxIDChecked ("DE136695976"), otherwise as typed
	TaxIDChecked bool         `json:"taxIdChecked,omitempty"` // syntax and check digits are valid; the number need not be registered
}

// Longest texts accepted, in bytes. The document sets no limits; these fit an invoice line and the PSP's fields.
const (
	maxName     = 300
	maxState    = 100
	maxPostcode = 20
	maxTaxID    = 40
)

var (
	missingCountry = problem.New(problem.Invalid, "country-required", "/billingDetail/country",
		"Missing required field: billingDetail.country")
	unknownCountry = problem.New(problem.Invalid, "country-invalid", "/billingDetail/country",
		"Invalid country: expected ISO 3166-1 alpha-2")
	missingIsBusiness = problem.New(problem.Invalid, "is-business-required", "/billingDetail/isBusiness",
		"Missing required field: billingDetail.isBusiness")
	missingState = problem.New(problem.Invalid, "state-required", "/billingDetail/state",
		"State is required for US/CA")
	missingName = problem.New(problem.Invalid, "business-name-required", "/billingDetail/businessName",
		"businessName is required for business purchases")
	unreadableName = problem.New(problem.Invalid, "business-name-invalid", "/billingDetail/businessName",
		"Invalid businessName")
	missingTaxID = problem.New(problem.Invalid, "tax-id-required", "/billingDetail/taxId",
		"taxId is required for EU business purchases")
)

// Check normalises in and applies every rule. If there are no problems, the Detail is valid. Otherwise the list has all of
// them, in the order country, isBusiness, state, businessName, taxId, postcode, and the Detail has the valid fields; only
// the hosted page may use it, to choose the next fields.
//
// Paths point into the create-order request, "/billingDetail/state".
func Check(in Input) (Detail, problem.List) {
	var d Detail
	var found problem.List
	add := func(p *problem.Problem) {
		if p != nil {
			found = append(found, p)
		}
	}
	code, p := checkCountry(in.Country)
	d.Country = code
	add(p)
	if in.IsBusiness == nil {
		add(missingIsBusiness)
	} else {
		d.IsBusiness = *in.IsBusiness
	}
	d.State, p = checkState(code, in.State)
	add(p)
	if d.IsBusiness {
		d.BusinessName, p = checkName(in.BusinessName)
		add(p)
		d.TaxID, d.TaxIDChecked, p = checkTaxID(code, in.TaxID)
		add(p)
	}
	d.Postcode, p = checkPostcode(code, in.Postcode)
	add(p)
	return d, found
}

func checkCountry(typed string) (country.Code, *problem.Problem) {
	typed = upper(email.Trim(typed))
	if typed == "" {
		return "", missingCountry
	}
	code, ok := country.Parse(typed)
	if !ok {
		return "", unknownCountry
	}
	return code, nil
}

func checkState(code country.Code, typed string) (string, *problem.Problem) {
	typed = email.Trim(typed)
	if !code.NeedsState() {
		if !Readable(typed, maxState) {
			return "", invalidState(code)
		}
		return typed, nil
	}
	if typed == "" {
		return "", missingState
	}
	state, ok := code.ParseSubdivision(upper(typed))
	if !ok {
		return "", invalidState(code)
	}
	return string(state), nil
}

func invalidState(code country.Code) *problem.Problem {
	return problem.New(problem.Invalid, "state-invalid", "/billingDetail/state", "Invalid state for "+string(code))
}

func checkName(typed string) (string, *problem.Problem) {
	typed = email.Trim(typed)
	if typed == "" {
		return "", missingName
	}
	if !Readable(typed, maxName) {
		return "", unreadableName
	}
	return typed, nil
}

// checkTaxID requires a valid number in the EU only, as documented. Elsewhere it normalises a valid number and keeps any
// other, so that the invoice shows what the buyer typed.
func checkTaxID(code country.Code, typed string) (id string, checked bool, p *problem.Problem) {
	typed = email.Trim(fold.String(typed))
	if typed == "" {
		if code.InEU() {
			return "", false, missingTaxID
		}
		return "", false, nil
	}
	number, fault := vatid.Parse(string(code), typed)
	if fault == vatid.None {
		return string(number), true, nil
	}
	if code.InEU() || !Readable(typed, maxTaxID) {
		return "", false, problem.New(problem.Invalid, "tax-id-invalid", "/billingDetail/taxId", "Invalid taxId for "+string(code))
	}
	return typed, false, nil
}

// checkPostcode refuses a postcode of another format than the country's only if the tax depends on it. Elsewhere the postcode is
// optional and is kept: [country.Code.ValidPostcode] tells the buyer's form whether to ask again.
func checkPostcode(code country.Code, typed string) (string, *problem.Problem) {
	typed = upper(email.Trim(fold.String(typed)))
	if typed == "" || code == "" {
		return typed, nil
	}
	if !Readable(typed, maxPostcode) || code.PostcodeDecidesTax() && !code.ValidPostcode(typed) {
		return "", problem.New(problem.Invalid, "postcode-invalid", "/billingDetail/postcode", "Invalid postcode for "+string(code))
	}
	return typed, nil
}

// Readable reports whether s can stand on one line of an invoice: it has no control characters and no bidirectional
// controls, which display a line in another order than it is stored (Unicode TR 9, U+202A–202E and U+2066–2069).
func Readable(s string, maxBytes int) bool {
	if len(s) > maxBytes {
		return false
	}
	for s != "" {
		r, size := email.Decode(s)
		s = s[size:]
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return false
		}
	}
	return true
}

// upper maps only a–z, because the full mapping would turn a dotless i into a letter of a country code. It returns s itself
// if there is nothing to change.
func upper(s string) string {
	var b []byte
	for i := range len(s) {
		if 'a' <= s[i] && s[i] <= 'z' {
			if b == nil {
				b = []byte(s)
			}
			b[i] -= 'a' - 'A'
		}
	}
	if b == nil {
		return s
	}
	return string(b)
}

// Input returns the detail as input for Check: Check(d.Input()) is d.
func (d *Detail) Input() Input {
	business := d.IsBusiness
	return Input{Country: string(d.Country), IsBusiness: &business, Postcode: d.Postcode, State: d.State,
		BusinessName: d.BusinessName, TaxID: d.TaxID}
}

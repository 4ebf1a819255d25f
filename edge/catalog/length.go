package catalog

import (
	"fmt"
	"unicode/utf8"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
)

// The longest texts that a session keeps, in bytes: those that create-order takes. A pre-filled text is otherwise kept as
// typed.
const (
	maxEmail        = 254
	maxCountry      = 20 // two letters, and room for white space
	maxState        = 100
	maxPostcode     = 20
	maxBusinessName = 300
	maxTaxID        = 40
)

// The longest metadata, in characters.
const (
	maxMetadataKey   = 40
	maxMetadataValue = 500
)

var longMetadata = problem.New(problem.Invalid, "metadata-too-large", "/metadata",
	fmt.Sprintf("metadata keys must be at most %d characters and values at most %d", maxMetadataKey, maxMetadataValue))

// overlong finds a text that is longer than a session keeps.
func (r *Request) overlong() *problem.Problem {
	if len(r.BuyerEmail) > maxEmail {
		return checkout.InvalidEmail
	}
	for key, value := range r.Metadata {
		if utf8.RuneCountInString(key) > maxMetadataKey || utf8.RuneCountInString(value) > maxMetadataValue {
			return longMetadata
		}
	}
	if r.Billing == nil {
		return nil
	}
	for _, field := range []struct {
		name, value string
		most        int
	}{
		{"country", r.Billing.Country, maxCountry}, {"state", r.Billing.State, maxState}, {"postcode", r.Billing.Postcode, maxPostcode},
		{"businessName", r.Billing.BusinessName, maxBusinessName}, {"taxId", r.Billing.TaxID, maxTaxID},
	} {
		if len(field.value) > field.most {
			return problem.New(problem.Invalid, "text-too-long", "/billingDetail/"+field.name,
				fmt.Sprintf("billingDetail.%s must be at most %d bytes", field.name, field.most))
		}
	}
	return nil
}

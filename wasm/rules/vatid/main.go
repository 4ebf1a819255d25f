// Command vatid is a rule that sells to businesses with a tax number only.
//
//	{"countries":["DE","AT"],"businessesOnly":true,"message":"Please enter your VAT number."}
//
// countries are those where a business needs a number; without them it needs one everywhere. The number's form must be right where its
// form is known. With businessesOnly consumers are refused, too.
package main

import "github.com/crepe-checkout/crepe/wasm/rules"

func init() { rules.Validate = validate }

func main() {}

func validate(d *rules.Draft) []rules.Problem {
	c := d.Config.Fields("countries", "businessesOnly", "message")
	switch {
	case c[0].Exists() && !c[0].Has(d.Country):
		return nil
	case !d.IsBusiness && c[1].True():
		return []rules.Problem{{Code: "business-required", Path: rules.IsBusiness, Message: c[2].Or("We sell to businesses only.")}}
	case d.IsBusiness && d.TaxID == "":
		return []rules.Problem{{Code: "tax-number-required", Path: rules.TaxID, Message: c[2].Or("Please enter your VAT or tax number.")}}
	}
	return nil
}

// Command countries is a rule that sells to some countries only, or to all but some.
//
//	{"only":["DE","AT","CH"],"message":"We sell to Germany, Austria and Switzerland only."}
//	{"except":["US"],"message":"We do not sell to the United States."}
package main

import "github.com/crepe-checkout/crepe/wasm/rules"

func init() { rules.Validate = validate }

func main() {}

func validate(d *rules.Draft) []rules.Problem {
	c := d.Config.Fields("only", "except", "message")
	if (!c[0].Exists() || c[0].Has(d.Country)) && !c[1].Has(d.Country) {
		return nil
	}
	return []rules.Problem{{Code: "country-not-sold-to", Path: rules.Country, Message: c[2].Or("We do not sell to this country.")}}
}

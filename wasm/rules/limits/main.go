// Command limits is a rule that refuses orders whose price is below or above a limit, by currency.
//
//	{"EUR":{"min":"5.00","max":"500.00"},"USD":{"max":"600.00"},"message":"Please contact us about large orders."}
//
// A currency without limits has none. message replaces both sentences.
package main

import "github.com/crepe-checkout/crepe/wasm/rules"

func init() { rules.Validate = validate }

func main() {}

func validate(d *rules.Draft) []rules.Problem {
	limits := d.Config.Get(d.Currency).Fields("min", "max")
	if least := limits[0]; least.Exists() && d.Price < d.Amount(least.Text()) {
		return refuse(d, "order-too-small", "The smallest order is "+least.Text()+" "+d.Currency+".")
	}
	if most := limits[1]; most.Exists() && d.Price > d.Amount(most.Text()) {
		return refuse(d, "order-too-large", "The largest order is "+most.Text()+" "+d.Currency+".")
	}
	return nil
}

func refuse(d *rules.Draft, code, message string) []rules.Problem {
	return []rules.Problem{{Code: code, Message: d.Config.Get("message").Or(message)}}
}

// Command coupon is a rule that gives a discount to the owners of e-mail addresses. The config is public where the page runs the rule, so it
// has the SHA-256 of each address: of its lower-case text, in lower-case hexadecimal, at least the first 16 digits.
//
//	{"label":"Spring coupon","percent":20,"addresses":["d3ba70ee0f1cfd8b"],"until":"2027-03-31"}
//	{"label":"Spring coupon","amounts":{"EUR":"5.00","USD":"6.00"},"addresses":["d3ba70ee0f1cfd8b"]}
//
// A discount is rounded down to minor units. It is left out if nothing would be left to pay.
//
//	printf %s ann@example.com | sha256sum | cut -c 1-16
package main

import (
	"strings"

	"github.com/crepe-checkout/crepe/wasm/rules"
)

func init() { rules.Adjust = adjust }

func main() {}

func adjust(d *rules.Draft) rules.Discount {
	c := d.Config.Fields("label", "percent", "amounts", "addresses", "from", "until")
	amount := d.Price * c[1].Int() / 100
	if off := c[2].Get(d.Currency); off.Exists() {
		amount = d.Amount(off.Text())
	}
	from, until := c[4].Text(), c[5].Text()
	if amount <= 0 || amount >= d.Price || d.On < from || until != "" && d.On > until || !listed(d.BuyerEmail, c[3]) {
		return rules.Discount{}
	}
	return rules.Discount{Amount: amount, Label: c[0].Or("Coupon")}
}

func listed(address string, list rules.Value) bool {
	const enough = 16
	sum := rules.SHA256(address)
	for e := range list.All {
		if prefix := e.Text(); len(prefix) >= enough && strings.HasPrefix(sum, prefix) {
			return true
		}
	}
	return false
}

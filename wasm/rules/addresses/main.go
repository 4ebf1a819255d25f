// Command addresses is a rule that refuses e-mail addresses: single ones, those of domains, and those of well-known services for disposable
// addresses.
//
//	{"addresses":["ann@example.com"],"domains":["example.net"],"disposable":true,"message":"Please use another e-mail address."}
//
// A domain stands for its subdomains, too.
package main

import (
	"strings"

	"github.com/crepe-checkout/crepe/wasm/rules"
)

func init() { rules.Validate = validate }

func main() {}

// disposable are services that anyone can read mail at without an account, the most used ones. Add others to domains.
const disposable = " 10minutemail.com dispostable.com emailondeck.com fakeinbox.com getnada.com grr.la guerrillamail.com maildrop.cc mailinator.com " +
	"mailnesia.com mintemail.com mohmal.com moakt.com mytemp.email sharklasers.com spamgourmet.com temp-mail.org tempmail.com tempr.email " +
	"throwawaymail.com trashmail.com yopmail.com "

func validate(d *rules.Draft) []rules.Problem {
	c := d.Config.Fields("addresses", "domains", "disposable", "message")
	_, domain, _ := strings.Cut(d.BuyerEmail, "@")
	if !c[0].Has(d.BuyerEmail) && !within(domain, c[1]) && !(c[2].True() && isDisposable(domain)) {
		return nil
	}
	return []rules.Problem{{Code: "address-refused", Path: rules.BuyerEmail, Message: c[3].Or("Please use another e-mail address.")}}
}

// within reports whether a domain is one of a list, or a subdomain.
func within(domain string, list rules.Value) bool {
	for e := range list.All {
		rest, ok := strings.CutSuffix(domain, e.Text())
		if ok && rest != domain && (rest == "" || strings.HasSuffix(rest, ".")) {
			return true
		}
	}
	return false
}

func isDisposable(domain string) bool {
	for more := domain != ""; more; _, domain, more = strings.Cut(domain, ".") {
		if strings.Contains(disposable, " "+domain+" ") {
			return true
		}
	}
	return false
}

package call

import "github.com/crepe-checkout/crepe/core/email"

// Email normalises an address: {"email":"Foo@Bar.COM "} → {"data":{"email":"foo@bar.com","valid":true}}. An address that is
// not valid is no error.
func Email(input string) []byte {
	var typed string
	ok := read(input, func(r *reader, name string) {
		switch name {
		case "email":
			typed = r.string()
		default:
			r.skip()
		}
	})
	if !ok {
		return refusal(invalidJSON)
	}
	address := email.Normalize(typed)
	// At once, because in the module every step of growing costs memory. Nothing grows by more than half on its way from
	// the input to the answer: escapes stay as long or become shorter, and of lower case Ⱥ and İ are the worst.
	w := writer{make([]byte, 0, len(input)*3/2+64)}
	w.open('{')
	w.name("data")
	w.open('{')
	w.member("email", address)
	w.boolean("valid", email.Valid(address))
	w.close("}}")
	return w.text
}

package call

import "github.com/crepe-checkout/crepe/core/email"

// Email normalises an address: {"email":"Foo@Bar.COM "} → {"data":{"email":"foo@bar.com","valid":true}}. An address that is
// not valid is no error.
func Email(input []byte) []byte {
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
	w := writer{make([]byte, 0, len(address)+64)} // at once: in the module every step of growing would cost memory
	w.open('{')
	w.name("data")
	w.open('{')
	w.member("email", address)
	w.boolean("valid", email.Valid(address))
	w.close("}}")
	return w.text
}

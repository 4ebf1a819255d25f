package ops

import "github.com/crepe-checkout/crepe/core/email"

// Email normalises an address: {"email":"Foo@Gmial.COM "} → {"data":{"email":"foo@gmial.com","valid":true,
// "suggestion":"foo@gmail.com"}}. An address that is not valid is no error. The suggestion is [email.Suggest].
func (*Instance) Email(input string) []byte {
	var in [1]string
	r := read(input, "email", in[:])
	if r.faulty {
		return refuse(InvalidJSON)
	}
	address := email.Normalize(in[0])
	// At once, because in the module every step of growing costs memory. Nothing grows by more than half on its way from
	// the input to the answer: escapes stay as long or become shorter, and of lower case Ⱥ and İ are the worst.
	w := writer{append(make([]byte, 0, len(input)*3/2+64), begin...)}
	w.member("email", address)
	w.boolean("valid", email.Valid(address))
	w.optional("suggestion", email.Suggest(address))
	return w.end()
}

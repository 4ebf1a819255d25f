package ops

import "github.com/crepe-checkout/crepe/core/email"

// Email reads an address by [email.Parse]: {"email":"Foo@Gmial.COM "} → {"data":{"email":"foo@gmial.com","valid":true,
// "suggestion":"foo@gmail.com"}}. An invalid address is not an error. The suggestion is [email.Suggest].
func (*Instance) Email(input string) []byte {
	var in [1]string
	r := read(input, "email", in[:])
	if r.faulty {
		return refuse(InvalidJSON)
	}
	address, valid := email.Parse(in[0])
	// Allocate once, because growing costs memory in the module. The answer is at most half longer than the input: escapes
	// keep their length or become shorter, and in lower case Ⱥ and İ grow most.
	w := writer{append(make([]byte, 0, len(input)*3/2+64), begin...)}
	w.member("email", address)
	w.boolean("valid", valid)
	w.optional("suggestion", email.Suggest(address))
	return w.end()
}

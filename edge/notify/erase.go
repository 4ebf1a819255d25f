package notify

import "github.com/crepe-checkout/crepe/core/problem"

// codeErased is a code of the operator's commands, not of the published API.
const codeErased = "delivery-erased"

// ErrErased: what the delivery said was erased at a buyer's request, so that it cannot be sent again.
var ErrErased = problem.New(problem.Conflict, codeErased, "", "what this delivery said was erased at the buyer's request, so it cannot be sent again")

// Erase removes what the event says, and what the merchant has answered. It reports whether there was anything to remove. The delivery
// must not be pending. It cannot be sent again.
func (d *Delivery) Erase() (erased bool) {
	erased = len(d.Body) > 0
	d.Body, d.Signature, d.SignedAt = nil, "", 0
	for i := range d.Tries {
		erased = erased || d.Tries[i].Answer != ""
		d.Tries[i].Answer = ""
	}
	return erased
}

// Erased reports whether [Delivery.Erase] has removed what the event said.
func (d *Delivery) Erased() bool { return len(d.Body) == 0 }

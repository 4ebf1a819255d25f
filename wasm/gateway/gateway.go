// Package gateway finds create-order requests that the API refuses whatever their session and credential are, so that a gateway before
// the API can answer them: a body that is not JSON of the right form, a missing checkoutSessionId, and the faults of a billingDetail.
//
// A refusal is the API's, byte for byte, as it answers a request with a valid session and credential. The API checks other things of a
// request, before and after; the caller passes a request on if it has no credential or one of those checks may refuse it. It does not check the
// credential itself, so a refused request may also have an expired one.
//
// The package is compiled into the WebAssembly module wasm/plugins/httpwasm, so it uses neither reflection nor fmt.
package gateway

import (
	"strings"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/wasm/ops"
)

// Refusal is an answer of the API, with status 400.
type Refusal struct {
	layer    string // the part of the API that refuses
	problems problem.List
}

// Examine returns the refusal of a request with the body, nil if the API may accept it.
func Examine(body string) *Refusal {
	request, fault := decode(body)
	switch {
	case fault != nil:
		return &Refusal{"gateway", problem.List{fault}}
	case request.session == "":
		return &Refusal{"order", problem.List{checkout.MissingSessionID}}
	case request.billing == nil:
		return nil
	}
	if _, problems := billing.Check(*request.billing); problems != nil {
		return &Refusal{"order", problems}
	}
	return nil
}

// Undecoded reports whether the body is not JSON of the right form, which the API refuses before it looks at an idempotency key.
func (r *Refusal) Undecoded() bool { return r.layer == "gateway" }

// Body returns the answer's body. None of its texts needs an escape in JSON.
func (r *Refusal) Body() string {
	var b strings.Builder
	b.WriteString(`{"data":null,"errors":[`)
	for i, p := range r.problems {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString(`{"message":"` + p.Message + `","layer":"` + r.layer + `","code":"` + p.Code)
		if p.Path != "" {
			b.WriteString(`","path":"` + p.Path)
		}
		b.WriteString(`"}`)
	}
	b.WriteString("]}")
	return b.String()
}

// Text describes the refusal for a log. It has no data of the buyer.
func (r *Refusal) Text() string {
	text := "create-order is refused:"
	for _, p := range r.problems {
		text += " " + p.Code
	}
	return text
}

// The members of a create-order request and of its objects, as [ops.Object] reads them.
const (
	requestMembers = "checkoutSessionId billingDetail{ billingAddress{ buyerEmail buyerIp successUrl consents["
	billingMembers = "country isBusiness? postcode state businessName taxId"
	addressMembers = "name street city"
)

type request struct {
	session string
	billing *billing.Input
}

// decode reads a body as the API does: members of another type than the API's are faults too.
func decode(body string) (request, *problem.Problem) {
	var m [7]string
	var b [6]string
	var a [3]string
	if !ops.Object(body, requestMembers, m[:]) || !object(m[1], billingMembers, b[:]) || !object(m[2], addressMembers, a[:]) || !allStrings(m[6]) {
		return request{}, invalid(body)
	}
	r := request{session: m[0]}
	if m[1] != "" {
		r.billing = &billing.Input{Country: b[0], Postcode: b[2], State: b[3], BusinessName: b[4], TaxID: b[5]}
		if b[1] != "" {
			business := b[1] == "true"
			r.billing.IsBusiness = &business
		}
	}
	return r, nil
}

// object is [ops.Object] for a member that may be absent.
func object(text, wanted string, found []string) bool {
	return text == "" || ops.Object(text, wanted, found)
}

func allStrings(array string) bool {
	_, ok := ops.Strings(array, nil)
	return ok
}

// invalid is the refusal of a body that cannot be decoded. If it is sound JSON, the path is that of the first member of another type.
func invalid(body string) *problem.Problem {
	if !ops.Object(body, "", nil) {
		return ops.InvalidJSON
	}
	p := *ops.InvalidJSON
	p.Path = wrongMember(body, requestMembers)
	return &p
}

func wrongMember(object, wanted string) string {
	for wanted != "" {
		var member string
		var found [1]string
		member, wanted, _ = strings.Cut(wanted, " ")
		path := "/" + strings.TrimRight(member, "{[?")
		if !ops.Object(object, member, found[:]) {
			return path
		}
		switch value := found[0]; {
		case value == "":
		case member == "billingDetail{":
			if inner := wrongMember(value, billingMembers); inner != "" {
				return path + inner
			}
		case member == "billingAddress{":
			if inner := wrongMember(value, addressMembers); inner != "" {
				return path + inner
			}
		case member == "consents[" && !allStrings(value):
			return path
		}
	}
	return ""
}

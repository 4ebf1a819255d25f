package stripe

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/psp"
)

// tolerance is how far a signature's time may differ from ours, in either direction, both ends included. It is Stripe's
// default for the past, applied to the future as well. Signatures can be replayed within this window, so that events must be
// applied idempotently.
const tolerance = 300 * time.Second

var (
	errNoSecret   = errors.New("stripe: no webhook secret is configured")
	errHeader     = errors.New("stripe: malformed Stripe-Signature")
	errTime       = errors.New("stripe: Stripe-Signature is too old or from the future")
	errSignature  = errors.New("stripe: no signature matches the body")
	errEventShape = errors.New("stripe: the signed body is not an event")
)

// event is the part of Stripe's object that is the same in every version of the API; an endpoint's events come in the
// version of the endpoint, whatever Config.Version says.
type event struct {
	ID       string `json:"id"`
	Object   string `json:"object"`
	Type     string `json:"type"`
	Created  int64  `json:"created"`
	Livemode bool   `json:"livemode"`
	Data     struct {
		Object json.RawMessage `json:"object"`
	} `json:"data"`
}

// intent is a payment that was tried and refused.
type intent struct {
	ID        string            `json:"id"`
	Amount    int64             `json:"amount"`
	Currency  string            `json:"currency"`
	Livemode  bool              `json:"livemode"`
	Metadata  map[string]string `json:"metadata"`
	LastError struct {
		Message       string `json:"message"`
		Code          string `json:"code"`
		PaymentMethod struct {
			Type string `json:"type"`
			Card struct {
				Last4 string `json:"last4"`
			} `json:"card"`
		} `json:"payment_method"`
	} `json:"last_payment_error"`
}

// Webhook verifies the header Stripe-Signature over the raw body and reads the event. Events of objects that carry no order id
// of ours are EventIgnored, since an account may serve others too.
func (g *Provider) Webhook(header func(name string) string, body []byte, now time.Time) (psp.Event, error) {
	if err := verify(g.secret, header("Stripe-Signature"), body, now); err != nil {
		return psp.Event{}, err
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		return psp.Event{}, errEventShape
	}
	return e.read()
}

// read says what an event reports.
func (e *event) read() (psp.Event, error) {
	if e.ID == "" || e.Object != "event" {
		return psp.Event{}, errEventShape
	}
	read := psp.Event{ID: e.ID, Kind: kind(e.Type), Created: time.Unix(e.Created, 0).UTC()}
	var err error
	switch read.Kind {
	case psp.EventIgnored:
		return read, nil
	case psp.EventRefund, psp.EventRefunded, psp.EventDispute:
		err := e.readMoneyBack(&read)
		return read, err
	case psp.EventDeclined:
		err = readDecline(e.Data.Object, &read)
	default:
		read.Method = onlyMethod(e.Data.Object)
		read.Checkout, err = readSession(e.Data.Object)
	}
	if err != nil {
		return psp.Event{}, err
	}
	if read.Checkout.OrderID == "" {
		return psp.Event{ID: read.ID, Created: read.Created}, nil
	}
	return read, nil
}

// onlyMethod returns the type of payment method of a checkout session that takes one type only, "" for any other: which of several
// the buyer chose, the session does not say.
func onlyMethod(object []byte) string {
	var s struct {
		Methods []string `json:"payment_method_types"`
	}
	if json.Unmarshal(object, &s) != nil || len(s.Methods) != 1 {
		return ""
	}
	return s.Methods[0]
}

// kinds are the types of events that report something of an order. All others are ignored.
var kinds = [...]struct {
	name string
	kind psp.EventKind
}{
	{"checkout.session.completed", psp.EventCompleted},
	{"checkout.session.async_payment_succeeded", psp.EventSucceeded},
	{"checkout.session.async_payment_failed", psp.EventFailed},
	{"checkout.session.expired", psp.EventExpired},
	{"payment_intent.payment_failed", psp.EventDeclined},
	{"refund.created", psp.EventRefund},
	{"refund.updated", psp.EventRefund},
	{"refund.failed", psp.EventRefund},
	{olderRefunds, psp.EventRefund}, // of endpoints whose version of the API has no refund.updated for all refunds
	{"charge.refunded", psp.EventRefunded},
	{"charge.dispute.created", psp.EventDispute},
	{"charge.dispute.updated", psp.EventDispute},
	{"charge.dispute.closed", psp.EventDispute},
}

func kind(name string) psp.EventKind {
	for _, k := range kinds {
		if k.name == name {
			return k.kind
		}
	}
	return psp.EventIgnored
}

func readDecline(object []byte, e *psp.Event) error {
	var p intent
	if err := json.Unmarshal(object, &p); err != nil || p.ID == "" {
		return errEventShape
	}
	e.Checkout = psp.Checkout{PaymentID: p.ID, Live: p.Livemode, Total: fromStripe(p.Amount, p.Currency)}
	setOrigin(&e.Checkout, p.Metadata)
	e.Method, e.Last4 = p.LastError.PaymentMethod.Type, p.LastError.PaymentMethod.Card.Last4
	if e.Reason = p.LastError.Message; e.Reason == "" {
		e.Reason = p.LastError.Code
	}
	return nil
}

// verify checks a header "t=…,v1=…[,v1=…][,v0=…]": HMAC-SHA256 over "<t>.<body>". While a secret is being replaced Stripe
// signs with both, hence several v1; v0 is for its own tests and proves nothing. An empty secret signs nothing: anybody
// could.
func verify(secret, header string, body []byte, now time.Time) error {
	if secret == "" {
		return errNoSecret
	}
	stamp, signatures, err := parseSignature(header)
	if err != nil {
		return err
	}
	at, err := strconv.ParseUint(stamp, 10, 40)
	if err != nil {
		return errHeader
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	want := mac.Sum(nil)
	for _, got := range signatures {
		if hmac.Equal(got, want) {
			return checkTime(time.Unix(int64(at), 0), now)
		}
	}
	return errSignature
}

func checkTime(at, now time.Time) error {
	if age := now.Sub(at); age > tolerance || age < -tolerance {
		return errTime
	}
	return nil
}

func parseSignature(header string) (stamp string, signatures [][]byte, err error) {
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "t":
			if stamp != "" || value == "" {
				return "", nil, errHeader
			}
			stamp = value
		case "v1":
			if signature, err := hex.DecodeString(value); err == nil {
				signatures = append(signatures, signature)
			}
		}
	}
	if stamp == "" || len(signatures) == 0 {
		return "", nil, errHeader
	}
	return stamp, signatures, nil
}

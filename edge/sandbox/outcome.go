package sandbox

// Outcome is an outcome of a payment that a buyer can choose.
type Outcome struct {
	Name   string
	Number string // of the test card with this outcome at Stripe (https://docs.stripe.com/testing); "" for none
	Rare   bool   // listed under more outcomes
	step   func(*sessionTx)
}

var outcomes = [...]Outcome{
	{"succeeds", "4242 4242 4242 4242", false, (*sessionTx).pay},
	{"challenge", "4000 0025 0000 3155", false, challenge("")},
	{"declined", "4000 0000 0000 0002", false, func(t *sessionTx) { t.decline(declined) }},
	{"insufficient_funds", "4000 0000 0000 9995", false,
		refused("card_declined", "insufficient_funds", "Your card has insufficient funds.", "9995")},
	{"later", "", false, func(t *sessionTx) { t.payLater(false) }},
	{"later_fails", "", false, func(t *sessionTx) { t.payLater(true) }},
	{string(refundLater), "4000 0000 0000 7726", true, payWith(refundLater)},
	{string(refundFails), "4000 0000 0000 5126", true, payWith(refundFails)},
	{string(refundLaterFails), "", true, payWith(refundLaterFails)},
	{"challenge_declined", "4000 0084 0000 1629", true, challenge("declined")},
	{"challenge_insufficient_funds", "4000 0082 6000 3178", true, challenge("insufficient_funds")},
	{"lost_card", "4000 0000 0000 9987", true, refused("card_declined", "lost_card", "Your card was declined.", "9987")},
	{"stolen_card", "4000 0000 0000 9979", true, refused("card_declined", "stolen_card", "Your card was declined.", "9979")},
	{"incorrect_cvc", "4000 0000 0000 0127", true,
		refused("incorrect_cvc", "", "Your card's security code is incorrect.", "0127")},
	{"expired_card", "4000 0000 0000 0069", true, refused("expired_card", "", "Your card has expired.", "0069")},
	{"processing_error", "4000 0000 0000 0119", true,
		refused("processing_error", "", "An error occurred while processing your card. Try again in a little bit.", "0119")},
}

var declined = refusal("card_declined", "generic_decline", "Your card was declined.", "0002")

// unauthenticated is the error of a failed challenge.
var unauthenticated = refusal("payment_intent_authentication_failure", "",
	"We are unable to authenticate your payment method. Please choose a different payment method and try again.", "3155")

// bounced is the error of a delayed payment that fails.
var bounced = &paymentError{
	Type: "invalid_request_error", Code: "payment_intent_payment_attempt_failed", Message: "The payment failed.",
	Method: method{Object: "payment_method", Type: "sepa_debit"},
}

// challenge sends the buyer to the bank. Passing the challenge leads to the outcome named then; "" pays.
func challenge(then string) func(*sessionTx) {
	return func(t *sessionTx) { t.challenge(then) }
}

func refused(code, declineCode, message, last4 string) func(*sessionTx) {
	why := refusal(code, declineCode, message, last4)
	return func(t *sessionTx) { t.decline(why) }
}

func refusal(code, declineCode, message, last4 string) *paymentError {
	return &paymentError{
		Type: "card_error", Code: code, DeclineCode: declineCode, Message: message,
		Method: method{Object: "payment_method", Type: "card", Card: &card{Brand: "visa", Last4: last4}},
	}
}

// Outcomes returns all outcomes in the order of the page.
func Outcomes() []Outcome { return outcomes[:] }

func findOutcome(name string) (Outcome, bool) {
	for _, o := range outcomes {
		if o.Name == name {
			return o, true
		}
	}
	return Outcome{}, false
}

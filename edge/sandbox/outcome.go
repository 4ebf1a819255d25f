package sandbox

// outcome is what a buyer can choose on the page, under the number of the card that has this outcome at Stripe
// (https://docs.stripe.com/testing).
type outcome struct {
	Name   string // of the form's value, and of its texts
	Number string
	step   func(*turn)
	rare   bool // few people look for it
}

var outcomes = [...]outcome{
	{"succeeds", "4242 4242 4242 4242", (*turn).pay, false},
	{"challenge", "4000 0025 0000 3155", challenge(""), false},
	{"declined", "4000 0000 0000 0002", func(t *turn) { t.decline(declined) }, false},
	{"insufficient_funds", "4000 0000 0000 9995",
		refused("card_declined", "insufficient_funds", "Your card has insufficient funds.", "9995"), false},
	{"later", "", func(t *turn) { t.payLater(false) }, false},
	{"later_fails", "", func(t *turn) { t.payLater(true) }, false},
	{"challenge_declined", "4000 0084 0000 1629", challenge("declined"), true},
	{"challenge_insufficient_funds", "4000 0082 6000 3178", challenge("insufficient_funds"), true},
	{"lost_card", "4000 0000 0000 9987", refused("card_declined", "lost_card", "Your card was declined.", "9987"), true},
	{"stolen_card", "4000 0000 0000 9979", refused("card_declined", "stolen_card", "Your card was declined.", "9979"), true},
	{"incorrect_cvc", "4000 0000 0000 0127",
		refused("incorrect_cvc", "", "Your card's security code is incorrect.", "0127"), true},
	{"expired_card", "4000 0000 0000 0069", refused("expired_card", "", "Your card has expired.", "0069"), true},
	{"processing_error", "4000 0000 0000 0119",
		refused("processing_error", "", "An error occurred while processing your card. Try again in a little bit.", "0119"), true},
}

var declined = refusal("card_declined", "generic_decline", "Your card was declined.", "0002")

// unauthenticated is how a failed challenge ends.
var unauthenticated = refusal("payment_intent_authentication_failure", "",
	"We are unable to authenticate your payment method. Please choose a different payment method and try again.", "3155")

// bounced is how a payment that was to be confirmed later fails.
var bounced = &paymentError{
	Type: "invalid_request_error", Code: "payment_intent_payment_attempt_failed", Message: "The payment failed.",
	Method: method{Object: "payment_method", Type: "sepa_debit"},
}

// challenge sends the buyer to the bank first; what comes after passing is the outcome of that name, "" for paying.
func challenge(then string) func(*turn) {
	return func(t *turn) { t.challenge(then) }
}

func refused(code, declineCode, message, last4 string) func(*turn) {
	why := refusal(code, declineCode, message, last4)
	return func(t *turn) { t.decline(why) }
}

func refusal(code, declineCode, message, last4 string) *paymentError {
	return &paymentError{
		Type: "card_error", Code: code, DeclineCode: declineCode, Message: message,
		Method: method{Object: "payment_method", Type: "card", Card: &card{Brand: "visa", Last4: last4}},
	}
}

func findOutcome(name string) (outcome, bool) {
	for _, o := range outcomes {
		if o.Name == name {
			return o, true
		}
	}
	return outcome{}, false
}

package sandbox

import "strconv"

var refundParams = []string{"payment_intent", "amount", "reason", "metadata[*]"}

// createRefund gives back all of a payment, or a part of what is left of it.
func createRefund(r *request, in *reader) func() answer {
	payment := in.required("payment_intent", 100)
	amount := in.integer("amount", 1, maximum, 0)
	reason := in.text("reason", 40)
	in.oneOf("reason", reason, []string{"duplicate", "fraudulent", "requested_by_customer"})
	metadata := in.metadata("metadata")
	return func() answer {
		return r.refund(payment, amount, refund{Reason: maybe(reason), Metadata: metadata})
	}
}

func (r *request) refund(payment string, amount int64, given refund) answer {
	id, err := r.sandbox.config.Store.Get("pi/" + payment)
	if err != nil {
		return broken()
	}
	var a answer
	err = r.sandbox.update(string(id), func(t *sessionTx) {
		a = t.refund(amount, given)
		r.save(&t.change, a)
	})
	switch err {
	case nil:
		return a
	case ErrNotFound:
		return missing("payment_intent", payment, "payment_intent")
	}
	return broken()
}

// refund fills in what is given back; amount 0 is all that is left.
func (t *sessionTx) refund(amount int64, given refund) answer {
	left := t.Intent.AmountReceived - t.Refunded
	switch {
	case t.Intent.AmountReceived == 0:
		return apiError{Param: "payment_intent", Message: "This PaymentIntent does not have a successful charge to refund."}.answer(400)
	case left == 0:
		return apiError{Code: "charge_already_refunded", Message: "Charge has already been refunded."}.answer(400)
	case amount > left:
		return apiError{Param: "amount", Message: "Refund amount (" + strconv.FormatInt(amount, 10) + ") is greater than " +
			"unrefunded amount on charge (" + strconv.FormatInt(left, 10) + ")"}.answer(400)
	case amount == 0:
		amount = left
	}
	given.ID, given.Object, given.Status, given.Amount = t.sandbox.newID("re_"), "refund", "succeeded", amount
	given.Created, given.Currency, given.PaymentIntent = t.now.Unix(), t.Session.Currency, t.Intent.ID
	t.Refunded += amount
	t.emit("refund.created", &given)
	a := ok(&given)
	a.note = given.ID + ofOrder(string(t.Session.ClientReferenceID)) + " · " + display(amount, given.Currency)
	return a
}

package sandbox

import "strconv"

var refundParams = []string{"payment_intent", "amount", "reason", "metadata[*]"}

// createRefund refunds a payment in full or in part.
func createRefund(r *request, in *reader) func() response {
	payment := in.required("payment_intent", 100)
	amount := in.integer("amount", 1, maximum, 0)
	reason := in.text("reason", 40)
	in.oneOf("reason", reason, []string{"duplicate", "fraudulent", "requested_by_customer"})
	metadata := in.metadata("metadata")
	return func() response {
		return r.refund(payment, amount, refund{Reason: nullable(reason), Metadata: metadata})
	}
}

func (r *request) refund(payment string, amount int64, given refund) response {
	id, err := r.sandbox.config.Store.Get("pi/" + payment)
	if err != nil {
		return storeFailure()
	}
	var a response
	err = r.sandbox.update(string(id), func(t *sessionTx) {
		a = t.refund(amount, given)
		r.save(&t.change, a)
	})
	switch err {
	case nil:
		return a
	case ErrNotFound:
		return notFound("payment_intent", payment, "payment_intent")
	}
	return storeFailure()
}

// refund refunds an amount; 0 is everything that is not refunded yet.
func (t *sessionTx) refund(amount int64, given refund) response {
	left := t.Intent.AmountReceived - t.Refunded
	switch {
	case t.Intent.AmountReceived == 0:
		return apiError{Param: "payment_intent", Message: "This PaymentIntent does not have a successful charge to refund."}.response(400)
	case left == 0:
		return apiError{Code: "charge_already_refunded", Message: "Charge has already been refunded."}.response(400)
	case amount > left:
		return apiError{Param: "amount", Message: "Refund amount (" + strconv.FormatInt(amount, 10) + ") is greater than " +
			"unrefunded amount on charge (" + strconv.FormatInt(left, 10) + ")"}.response(400)
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

// Package sandbox is a payment service provider that moves no money. It speaks the part of Stripe's wire that a one-time
// hosted payment needs, so that demo and tests drive the real Stripe adapter, its page and its webhooks included.
//
// [Sandbox] is the provider: [Sandbox.Dial] connects to its API in memory, [Sandbox.Serve] is its hosted page, and a worker
// delivers its webhooks. [Store] is where it keeps its state, which survives a restart: what was due is then done late.
//
// It is faithful where an order's safety depends on it: idempotency keys with stored answers, validation before storing,
// the window of expires_at, signed webhooks at least once, payments that are confirmed later. It knows no parameter that
// the adapter does not send: an unknown one is refused by name, as at Stripe.
//
// Nobody can type a card number: the outcome of a payment is chosen from a list.
//
// # Faults
//
// A [Fault] is something that goes wrong on purpose. A session asks for its own, by the e-mail address of its buyer,
// "ada+lost_response@sandbox.test", or by metadata[sandbox]. A test makes some wait with [Sandbox.Script], which is also
// POST /faults, or decides about each [Call] with [Sandbox.Decide]; both go before what a session asks for. The README's
// "Breaking the sandbox" is the table of them. Whatever goes wrong, the rules about idempotency keys hold.
//
// What has come of it all is in the log, and for tests in [Sandbox.Sessions] and [Sandbox.Bodies]; [Sandbox.Pay] and its
// like do what a buyer does on the page.
//
// # Keys
//
// Ids begin with their time, inverted, so that a scan meets the newest first.
//
//	cs/<session>            a session with its payment
//	or/<order>/<session>    the session's id; <order> is its client_reference_id
//	pi/<payment intent>     the session's id
//	ev/<event>              an event
//	ik/<idempotency key>    the stored answer
//	du/<ms>/<task>/<id>     what is to be done at an instant, milliseconds in 13 digits: expire or settle a session, send
//	                        an event
package sandbox

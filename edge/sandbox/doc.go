// Package sandbox is a payment service provider that moves no money. It implements the part of Stripe's API that a one-time
// hosted payment needs, so that demo and tests run the real Stripe adapter, its webhooks included.
//
// [Sandbox] is the provider: [Sandbox.Dial] connects to its API in memory, [Sandbox.ServeAPI] serves it on a port,
// and a worker delivers its webhooks. Package page
// is its hosted page. [Store] persists its state: what was due while it was not running is done late.
//
// It follows Stripe where an order's safety depends on it: idempotency keys with stored responses, validation before storing,
// the window of expires_at, signed webhooks at least once, payments that are confirmed later. It refuses every parameter that
// the adapter does not send, by name, as Stripe refuses unknown ones.
//
// No card number can be entered: the buyer chooses the outcome of a payment from a list, see [Outcomes].
//
// # Faults
//
// A [fault.Spec] is injected into a call or a webhook. A session requests its own faults, by its buyer's e-mail address,
// "ada+lost_response@sandbox.test", or by metadata[sandbox]. A test scripts faults with the embedded [fault.Injector], which
// take precedence. README.md has the table. The rules about idempotency keys hold under every fault.
//
// The results are in [Sandbox.Log], and for tests in [Sandbox.Sessions] and [Sandbox.Bodies]. [Sandbox.Pay], [Sandbox.Choose]
// and the like do what a buyer does on the page.
//
// # Keys
//
// Ids begin with their inverted time: a scan returns the newest first.
//
//	cs/<session>            a session with its payment
//	or/<order>/<session>    the session's id; <order> is its client_reference_id
//	pi/<payment intent>     the session's id
//	re/<refund>             a refund
//	ev/<event>              an event
//	ik/<idempotency key>    the stored response
//	du/<ms>/<task>/<id>     a task due at a time in milliseconds, 13 digits: expire or settle a session, end a refund, send an event
package sandbox

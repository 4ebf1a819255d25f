// Package notify tells merchants what has happened to their orders, by signed webhooks.
//
// A commit of package orders puts facts into the outbox, in its own transaction ([orders.Change].Facts). [Service] takes the facts
// one after the other, and writes in one commit all that follows from a fact: a [Delivery] for each [Endpoint] of the store that
// has subscribed to the event. Body and header of a delivery are made once.
//
// Deliveries are sent at least once: a process that dies between sending a delivery and recording the answer sends it again, with
// the same id. One process runs on a store, so that one worker at most has a delivery; each outcome is a compare-and-set on the
// delivery's version. Every endpoint has a lane of its own, of bounded width, so that one that is slow or dead delays no other.
//
// A delivery that is not answered with a 2xx in [Timeout] is sent again 1, 5 and 25 minutes after the first time, and has failed
// then; see [Service.Resend]. Every try is recorded. Records are kept for [Config].Keep.
//
// An endpoint is a public https address. The address is checked when a connection is made to it, so that no name that resolves to
// another address later, and no spelling of an address, reaches the operator's own network; redirects are not followed. See
// [Reach].
//
// A [Signer] signs with one key for each environment. A merchant configures its public key once, so that the key outlives every
// restart.
package notify

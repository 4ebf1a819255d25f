// Package orders turns checkout sessions into orders that are paid exactly once.
//
// The types: [Session] and [Order] are the records; [Service] is the one sequence of read, place, write, open, undo;
// [Store] and [Gateway] are the ports to a database and to a payment service provider.
//
// Three rules carry the whole package, and everything else follows from them:
//
//   - The order and the exact bytes of the provider's request are durable before the request is sent, and the provider's
//     answer is durable before its URL is disclosed.
//   - An order is never deleted. A failed call leaves it rolled back, which is a state; a call whose outcome is unknown
//     leaves it bound to its session, to be asked again with the same bytes under the same key.
//   - A second checkout for a session is made only after the provider has confirmed that the first cannot be paid any
//     more. An expiry whose outcome is unknown is not an expiry.
//
// What is in doubt comes to its end by whoever is first: the buyer's next request, a webhook, [Service.Sweep] every five
// seconds, and hourly [Service.Reconcile], which compares the provider's records with ours. All of them take the same steps.
//
// The provider may know more than the store: after a restored backup, or after a call that failed and had its effect all the
// same. An order's id is made of its session, so that a session's next call has the key of the lost one and the provider refuses
// it ([KeyTaken]). An attempt that was given up, for this reason or another, is Abandoned: the provider's list is searched for
// its checkout, which is ended or whose payment is recorded, before a next attempt begins. A start compares the newest
// checkouts first ([Config].CatchUp). Reconciliation ends open checkouts of this deployment that no order knows. A payment that
// fits nothing goes into quarantine and closes its session. The deployment's id is in the store, so that it survives a backup,
// and a copy of the store that runs beside the original on the same account would end the original's checkouts.
//
// An attempt belongs to a provider's [Account] and is never asked about at another one. Events of the old account reach nobody
// here, so that a checkout there may be paid unseen. An attempt whose URL nobody has is given up at once, and so is one of an
// account that moves no real money. Any other closes its session: a second checkout beside it could be paid as well, and so
// could one that is made after the first has ended unseen. The buyer is asked to begin a new session.
//
// A [Guard] before a provider holds calls back rather than letting them pile up, and keeps a part of what the provider allows
// for that work, so that it goes on however many buyers wait. An order for which there is no room is refused before anything is
// written.
package orders

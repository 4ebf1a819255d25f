// Package orders turns checkout sessions into orders that are paid exactly once.
//
// The types: [Order] is the record; [Service] is the order workflow: load the session, validate, persist the attempt, call the
// provider, persist the result. [Store] is the port to a database, [Provider] a payment provider within its limits.
//
// Three rules hold everywhere:
//
//   - The order and the exact bytes of the provider's request are durable before the request is sent, and the provider's
//     answer is durable before its URL is disclosed.
//   - An order is never deleted. A failed call leaves it rolled back, which is a state. After a call with an unknown outcome the
//     order stays bound to its session, and the same bytes are sent again under the same key.
//   - A second checkout for a session is created only after the provider has confirmed that the first cannot be paid any
//     more. An expiry with an unknown outcome does not count.
//
// Attempts with an unknown outcome are resolved by the next create-order request, a webhook, [Service.Sweep] every five
// seconds or [Service.Reconcile] every hour, whichever comes first. Reconcile compares the provider's records with ours. All
// of them make the same transitions.
//
// The provider may know more than the store: after a backup was restored, or after a call that failed but had its effect. An
// order's id is derived from its session, so that the session's next call uses the key of the lost one, and the provider
// refuses it or replays its answer ([psp.KeyTaken]). An attempt whose outcome cannot be found out with its key is Abandoned:
// before the next attempt begins, the provider's list is searched for its checkout, which is then ended, or whose payment is
// recorded. At its start the service compares the newest checkouts first ([Config].CatchUp). Reconciliation ends open checkouts
// of this deployment that belong to no order. A payment that matches no order is put in quarantine, and its session is closed.
// The deployment's id is in the store and therefore in its backups. Never run a copy of the store beside the original on the
// same account: each would end the other's checkouts.
//
// An attempt belongs to a provider's [psp.Account] and is never looked up at another one. Events of a former account are not
// received, so that a checkout there can be paid without notice. An attempt whose URL nobody has is rolled back at once, and so
// is one of an account that moves no real money. Any other closes its session: a second checkout could be paid as well, and so
// could one that is created after the first has ended unseen. The buyer is asked to start a new session.
//
// A provider's limits (package limit) hold calls back instead of letting them pile up. An order for which there is no capacity
// is refused before anything is stored.
package orders

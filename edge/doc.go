// Package edge holds no code: this page draws the edge server of the Crêpe checkout and says why it is so. The server turns
// checkout sessions into orders that are paid exactly once, at a payment service provider's hosted page. Its program is
// edge/cmd/crepe.
//
// # The way of a request
//
// Data flows in one direction, and every arrow below is an import that a test allows (e2e/arrows_test.go); there are no others.
//
//	core          what a billing detail, an e-mail, a tax and a create-order request mean. Pure; also runs in the
//	              buyer's browser and in any WebAssembly host, compiled from the same source.
//	  ↑
//	orders        the one sequence of read, place, write, open, undo; the state machine and its sweeper; the ports
//	              Store and Gateway, and the guard before a Gateway.
//	catalog       merchants, stores, products; what a checkout session locks.
//	auth          credential → Caller.
//	idempotency   X-Idempotency-Key.
//	notify        who signs what merchants are told.
//	http1         refuses requests that two implementations could read differently.
//	throttle      how many requests without a merchant's credential are served.
//	geoip         whose address, and which country it is in: evidence beside the billing country.
//	quoteview     a quote as people and programs read it, with its rules.
//	locale        the page's languages: sentences, amounts, dates, names.
//	  ↑
//	api, page     the entry points: HTTP and JSON for programs, HTML for buyers. They import services, and never each other.
//	admin         the operator's operations, over a socket in the data directory: crepe orders, crepe keys, /metrics.
//	record        what is stored, as versioned JSON, and the ports of a store, all in record.Store. storetest tests them.
//	durable       a database on Badger: one writer, detects data loss at start, survives a full disk.
//	badgerstore   record.Store on durable. The sandbox has a durable database of its own, because it plays another company.
//	psp/stripe    the Gateway on Stripe Checkout.
//	sandbox       a payment provider that speaks Stripe's wire, for the demo and the tests; sandbox/fault injects faults into it, and
//	              sandbox/page is its pages.
//	  ↑
//	cmd/crepe     flags and environment → Config → wiring → serve → drain.
//
// A create-order takes eight steps, and a crash between any two of them loses nothing:
//
//	1 api.serve          method, size, credential → Caller; body → checkout.Request (the only decode)
//	2 orders.Create      one read of the session, one request at a time for each session
//	3   checkout.Place   pure: the documented refusals in the documented order → Order with its frozen Quote
//	4   Gateway.Render   pure: the exact bytes of the provider's request; a refusal here leaves nothing behind
//	5   Store.Commit     order + attempt, and the order's id on the session
//	6   Gateway.Create   the provider, under a key made of order and attempt
//	7   Store.Commit     the provider's id and URL, the write-back on the session, the used-up token
//	8 api.write          {data:{checkoutUrl}}
//
// # Why it is so
//
// The write-back on the session (step 7) comes with the URL, not with the intent: a refused call then has nothing to undo,
// and the session is as it was before, as the published document promises.
//
// An order is one record with all its attempts, and a write is a compare-and-set on its version. That version is the only
// fence: a process that was stopped and wakes up cannot write over what happened meanwhile, on one machine as on many.
//
// What is in doubt is brought to an end by whoever comes first: the buyer's next request, the provider's webhook, or the
// sweeper, which looks every five seconds at the orders that are due. All three take the same steps. What none of them hears
// of is found by an hourly comparison with the provider's own records.
//
// The digest that tells "the same request again" from "something else" leaves price and tax out, because both are frozen
// with the order: a tax rule that changes overnight does not reach a buyer who has already seen a total.
//
// Which pages elsewhere a browser lets call the API is each store's list of origins, empty at first. A preflight carries no
// credential, so it is answered for an origin that any store lists; the answer itself is readable for the origins of the
// store that it is about. The lists protect nobody from a stolen token, which works without a browser too: they keep other
// people's pages from being built on a store.
//
// That all this holds is not argued but tried: the tests of edge/orders play the real service, database, adapter and sandbox
// in a bubble of virtual time, by random schedules and with a crash at every boundary, against thirteen invariants, and show
// that each likely mistake breaks one of them. FAULTS.md is the table of what was tried and what held.
//
// A store's public pages and its buyers' tokens never name an environment by themselves: every record, key and provider
// account belongs to test or to prod, and the session, which is found by an unguessable id, says to which.
package edge

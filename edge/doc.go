// Package edge contains no code. This page describes the architecture of the edge server of the Crêpe checkout, and the reasons
// for it. The server turns checkout sessions into orders that are paid exactly once, at a payment service provider's hosted page.
// Its program is edge/cmd/crepe.
//
// # Structure
//
// A package imports only packages above it in this list. e2e/arrows_test.go holds the exact list of allowed imports, and of the
// packages that may import a third-party module.
//
//	core           the rules: billing detail, e-mail address, tax, create-order request. Pure; the buyer's browser and other
//	               WebAssembly hosts run the same source.
//
// Ports and libraries:
//
//	psp            the port to payment service providers: checkouts, reconciliation, webhooks, classes of errors
//	psp/limit      rate limit, bulkhead, circuit breaker and fair queue before a provider
//	shortid        identifiers of the published API
//	http1          refuses ambiguous HTTP/1 requests
//	certificate    TLS with a certificate that is replaced while it serves
//	throttle       rate limits for requests without a merchant's credential
//	requestid      the id of a request, in headers and in the log
//	metrics        counters, gauges and histograms, in Prometheus' text format
//	geoip          the country of an IP address, as evidence beside the billing country
//	locale         messages, formats and names in the page's languages
//	quoteview      a quote as JSON and as text, with the rules that applied
//
// Services, each with the port of its store:
//
//	catalog        merchants, stores, products
//	auth           credentials, session tokens, signing keys
//	plugins        stores' own rules: WebAssembly modules that refuse an order or give a discount
//	idempotency    X-Idempotency-Key
//	lease          which of several servers on one database does a task
//	sessions       a checkout session from opening to expiry
//	orders         the order workflow, the state machine, the sweeper, reconciliation
//	vies           asks the EU's VIES about the VAT numbers of buyers, after the sale
//	invoices       receipts, credit notes and their numbers
//	notify         webhooks to merchants: the outbox of facts about orders, endpoints, signed deliveries
//	erasure        requests of buyers to be forgotten
//
// Adapters:
//
//	psp/stripe     psp on Stripe Checkout
//	smtp           e-mail over the operator's server
//	record         the stored form of every record, and record.Store, which joins the ports of the stores
//	durable        a key-value database on Badger: detects data loss at start, survives a full disk
//	backup         backups of a durable database while it takes writes, and their restoration
//	badgerstore    record.Store on durable
//	pgstore        record.Store on PostgreSQL, for several edges on one database
//	transfer       copies one store to another, and compares them
//	sandbox        a payment provider that moves no money and speaks Stripe's API, so that the demo and the tests use the real
//	               adapter; sandbox/fault injects faults, sandbox/page has its pages. It has a database of its own.
//
// Entry points, which import services and never adapters:
//
//	api            JSON over HTTP, for programs
//	graph          GraphQL over records, the reads of api
//	page           the hosted checkout, HTML for buyers
//	verifypage     compares a live checkout page with this build
//	dashboard      the operator's pages
//	admin          an operator's operations, over a socket in the data directory
//	demo           the merchant of crepe dev: its records, its pages, and a client of the API
//
// The program:
//
//	server         Config, wiring, serving, draining; the only package that imports all of the above
//	cmd/crepe      the commands: flags and environment variables → server.Config
//
// Tests:
//
//	storetest      the tests of a record.Store
//	pgtest         runs PostgreSQL servers
//	shoptest       drives the demo shop of a server over HTTP
//	filefault      kills a program before a file operation, or lets the operation fail
//	e2e            tests of the binary
//
// # Where to find
//
//	a command                   cmd/crepe, one file for each
//	a setting                   cmd/crepe/settings.go; its meaning is at server.Config
//	start, readiness, drain     server/serve.go
//	the demo merchant           demo
//	a session's expiry          sessions/open.go sets it, sessions/expiry.go extends it, core/checkout/place.go enforces it
//	an order is paid            api/webhook.go verifies and answers, orders/event.go finds the order, orders/state.go settles it
//	the JSON of a quote         wasm/ops/wire.go; quoteview adds to it
//	a new payment provider      psp/psp.go (the port), psp/errors.go (what a failed call proves), server/server.go (the wiring)
//	a new store                 record/store.go (the port), storetest (its tests), server/databases.go (the wiring)
//
// # A create-order request
//
// A request passes eight steps. A crash between any two of them loses nothing.
//
//	1 api                 method, size, credential → auth.Caller; body → checkout.Request
//	2 orders.Create       reads the session; one request at a time for each session
//	3   checkout.Prepare  pure: the documented refusals in the documented order, or the draft of an Order; a repeated request
//	                      gets its URL now; otherwise the store's own rules see the draft, and Order.Freeze computes its Quote
//	4   Checkouts.Render  pure: the exact bytes of the provider's request; after a refusal here nothing is stored
//	5   Store.Commit      order and attempt, and the order's id on the session
//	6   Checkouts.Create  calls the provider, under an idempotency key made of order and attempt
//	7   Store.Commit      the provider's id and URL, the write-back on the session, the used-up token
//	8 api                 {data:{checkoutUrl}}
//
// # Reasons
//
// The session is written back (step 7) together with the URL, not with the attempt. A refused call has nothing to undo, and the
// session is unchanged, as the published document requires.
//
// An order is one record with all of its attempts. A write is a compare-and-set on its version. A process that was suspended
// therefore cannot overwrite later changes, on one machine or on many.
//
// Attempts with an unknown outcome are resolved by the next create-order request, a webhook or the sweeper, whichever comes first.
// The sweeper runs every five seconds on the orders that are due. All three use the same transitions. A reconciliation compares
// the orders with the provider's records every hour and finds changes that none of the three has seen.
//
// The digest that identifies a repeated request leaves price and tax out, because both are frozen with the order. A buyer who has
// seen a total keeps it when a tax rule changes overnight.
//
// Several servers can share a database, because none of them knows anything that the database does not: what a process caches (the signing
// keys, parsed public keys) is read again when it does not suffice. A lease in the database chooses the server of each background
// job, and another lease keeps all servers to one configuration. No promise depends on a lease: records are written by compare-and-set,
// so that a server that was suspended overwrites nothing. e2e's TestFleet kills and suspends three servers.
//
// What merchants are told is written with what has happened: a commit of an order carries facts, which the store keeps in an outbox.
// Package notify takes them one by one and writes all that follows from a fact, deliveries and receipts, in one commit. An event is
// therefore neither lost nor invented by a crash, and numbers of receipts have no gaps; only the sending can happen twice.
//
// VIES is asked about a buyer's VAT number in the same way: the check is a record that follows from the payment, beside the order, so
// that no sale waits for an answer and no answer competes with a change of the order.
//
// Each store lists the origins whose pages may call the API from a browser; the list is empty at first. A preflight carries no
// credential, so it is answered for an origin that any store lists. The response itself is readable for the origins of its own
// store. The lists do not protect a stolen token, which works without a browser; they prevent other sites from building pages on
// a store.
//
// Every record, key and provider account belongs to one of the environments test and prod. A store's public pages and its buyers'
// tokens do not name one: the session, which is found by an unguessable id, determines it.
//
// A product is edited in test and published to prod as a whole, also with a key of prod: nothing is on sale for real money by an edit
// alone. A version is never changed, because sessions and orders name it. Stores and products are written by compare-and-set on
// their revision, and a change is a pure function of package catalog that is applied again to what was written meanwhile. A slug
// stays taken after its store has been deleted: an old link must not lead to another merchant.
//
// The tests of edge/orders run the service, the database, the adapter and the sandbox in virtual time, by random schedules and
// with a crash at every boundary, against eighteen invariants, and show that each of a list of deliberate mistakes violates one.
// FAULTS.md lists the faults and the results.
package edge

// Package badgerstore implements [record.Store], the ports of the packages that own the records, on a durable database: it
// decides keys, keeps indexes and compares versions. Package durable says what a write guarantees and how data loss and a full
// disk are detected.
//
// A change of an order that exists is urgent: half of the disk's reserve is for it, so that a payment is recorded although new
// orders are refused. Where a record is known to exist and cannot be found, the error is [durable.ErrDamaged].
//
// Sessions, orders, stores and states of tokens that were read or written lately are kept decoded, see cache. Their readers get copies.
//
// # Keys
//
// A key begins with its environment and store, so that no scan crosses a tenant. "-" stands for records of no store, "all" for
// records of both environments.
//
//	<env>/<store>/cs/<session>     orders.Session; without an order it expires Options.KeepSessions after the session
//	<env>/<store>/cl/<ms>/<session>          nothing: the list of sessions, the newest first; an entry expires before its session
//	<env>/<store>/or/<order>       orders.Order, kept for good: it is the merchant's record of a sale
//	<env>/<store>/ol/<list>/<ms>/<order>     nothing: a list of orders, by status (s/…), buyer (i/…, e/…) or external id (x/…); ms
//	               counts backwards from the year 2286, so that the newest order is first
//	<env>/<store>/pl/<status>/<ms>/<payment> the order's id: a list of payments, the newest first
//	<env>/<store>/oc/<list>        how many orders or payments there are: two integers of 8 bytes, the second is 0
//	<env>/<store>/sd/<day>/<currency>  what was sold: number of orders and sum, 8 bytes each
//	all/-/ix                       the version of the indexes, when they are complete
//	all/-/use                      what the database is for, see Claim
//	<env>/-/ev/<provider>/<event>  an applied provider event, kept 35 days
//	<env>/-/qu/<provider>/<event>  orders.Quarantined, kept for good: it is the only record of that payment
//	<env>/-/op/<hash>              the key of the order with a payment, by the hash of the provider and its id of the payment
//	<env>/-/ot/<ticket>            the key of the order of a refund ticket that is open
//	<env>/<store>/tl/<status>/<ms>/<ticket>  the same for refund tickets; fl for refunds
//	<env>/-/rd/<order>             an order with a refund due: when it was handled, eight bytes; 0 is not yet
//	<env>/-/tk/<token>             state of a session token, kept until the token has expired
//	<env>/-/ik/<hash>              an idempotency.Answer, kept for a day
//	<env>/-/ky/<key>               a key that signs session tokens
//	<env>/<store>/iv/<kind>/<year>/<number>  invoices.Document, kept for good
//	<env>/<store>/in/<kind>/<year>  the number of the last document of that series, 8 bytes
//	<env>/<store>/ml/<token>       invoices.Mail; expires invoices.mailRetention after it was sent or given up
//	all/-/dm/<ms>/<token>          the key of a mail: the index of the mails that are due
//	<env>/<store>/vc/<order>       vies.Check, kept for good: it is evidence for the tax of the order
//	all/-/dv/<ms>/<order>          the key of a check: the index of those that are due
//	<env>/-/vr/<order>             the key of a check that a person should see: the number is not registered, or VIES has not answered
//	<env>/-/id/<order>/<event>     the key of the document of a payment or refund
//	<env>/-/wk                     the key that signs merchants' webhooks, PKCS #8
//	all/-/me/<merchant>            catalog.Merchant
//	all/<store>/st                 catalog.Store
//	all/<store>/pr/<product>       catalog.Product
//	all/<store>/pv/<product>/<n>   catalog.Version; n is 2^32-1 less its number, in hexadecimal
//	all/<store>/pi/<product>/<v>   the key of the version with the id v
//	all/-/ms/<merchant>/<store>    nothing: the store is the merchant's
//	all/-/sl/<slug>                the id of the store with that slug
//	all/-/og/<origin>/<store>      nothing: the store lists that origin
//	all/-/de                       the deployment's id
//	all/-/er/<entry>               erasure.Entry
//	all/-/ek                       the key of the hashes in those
//	all/<store>/ru                 plugins.Rules
//	all/<store>/rc/<number>        plugins.Content; the number has 8 digits
//	all/-/ob/<number>              an orders.Fact in the outbox, until it is dispatched
//	all/-/obn                      the number of the last fact, 8 bytes
//	all/-/rm                       exists when every paid order has a receipt or a fact that leads to one
//	<env>/<store>/we               notify.Endpoints
//	<env>/<store>/wd/<~delivery>   notify.Delivery, under the complement of its id, so that the newest comes first; it expires
//	                               notify.Retention after it has succeeded or failed
//	<env>/-/wf/<delivery>          nothing: the delivery has failed
//	all/-/dd/<env>/<endpoint>/<ms>/<delivery>
//	                               the delivery's id: the index of the deliveries that are to be sent
//	all/-/du/<ms>/<env>/<order>    the order's id: the sweeper's index of the orders that are due
//	all/-/nr/…                     the durable database's own
//	all/-/at/<kind>/<id>           the prefix of a session (cs), order (or), product (pr), endpoint (we) or delivery (wd):
//	                               "<env>/<store>", of a product "<store>"; of a payment (py) its order's key; kept as long as
//	                               its record
//
// # Values
//
// The first byte of a record is its encoding. 1 is JSON, see package record. 2, for sessions, deliveries and old orders, is the version
// and an instant (when an order or delivery is due, or when a session may be deleted), 8 bytes each, and JSON. 3, for orders, has the
// size of the order's index tokens, 4 bytes, and the tokens before the JSON: the order's own commit replaces the entries that they
// name. The values of "sl", "pi", "at", "de", "ek", "wk", "use" and "rd" are plain.
package badgerstore

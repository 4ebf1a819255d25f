// Package badgerstore keeps everything that the edge keeps in one Badger database on a local disk.
//
// [DB] is the database; its methods implement the ports of the packages that own the records: orders.Store,
// catalog.Records, catalog.Origins, auth.Tokens, auth.Keys, webhooks.Keys, idempotency.Store and sandbox.Store.
//
// # Writing
//
// One goroutine writes. It drains bounded queues of commands into one transaction with SyncWrites, first the queue of commands
// that complete an order, and answers all of them when that transaction is durable. So concurrent requests share one fsync, no
// two transactions conflict, and a power cut loses nothing that was acknowledged. A command reads what the commands before it
// wrote. One that returns an error leaves nothing in the transaction.
//
// After the first error of the disk the database accepts no more writes ([DB.Stopped]), whether a commit met it or Badger's
// own work: writing memtables to tables, compactions, the MANIFEST. Badger itself would try again, delete files that are still
// needed, and after a table that a compaction could not write go on without it. A watch on the MANIFEST takes back a change
// that is not durable or not complete, so that the next start finds everything (watch.go).
//
// # Data loss is detected at start
//
// Badger drops what it cannot read, without an error: it truncates a log at the first record whose checksum is wrong, deletes
// tables that its MANIFEST does not list, and does not find a key in a damaged block. So each batch has a number, and
//
//   - the last two batches lie whole in the journal, the file HEAD, in two slots of space taken in advance. The journal and
//     the database are written and synced at once, not one after the other, so that a commit takes about a quarter longer
//     than without it, not two fifths; what a power cut leaves in the journal only is brought in at the next start. HEAD is
//     the first file of a database and appears whole: one that is short, or missing beside other files, is damage;
//   - each batch writes its number into the database, under one of 2^18 keys in turn. At the start all of the last 2^18 must
//     be there, up to the journal's last: an end that is missing shows, and so does a gap;
//   - every block of every table is read at the start, before Badger opens them;
//   - Badger's files are copied or linked into the directory kept before it opens them, and stay there if the database is
//     refused ([ErrDamaged]). Until the checks are done, Badger deletes no table and no log.
//
// [Repair] repairs what can be repaired without loss, and on request accepts a loss.
//
// What remains: a block that is damaged while the process runs may pass for a missing key until the next start. Where a
// record is known to exist it is an error then ([ErrDamaged]), elsewhere it is not seen.
//
// # A full disk
//
// Badger maps its files into memory: where the disk is full, the kernel kills the process. Writes are refused
// ([ErrDiskFull]) while less than a reserve is free, before anything of them begins; reads go on, and so do writes when
// there is space. Half of the reserve is for changes of orders that exist, so that an order that is paid meanwhile becomes paid.
// The file BALLAST is removed when other programs fill the disk, so that the database can be opened and read. If they use up
// the reserve as well while a table is being written, the kernel kills the process; what was acknowledged is in the logs.
//
// # Keys
//
// A key begins with its environment and store, so that no scan ever crosses a tenant; "-" stands where a record belongs to
// no store, "all" where it belongs to both environments.
//
//	<env>/<store>/cs/<session>     orders.Session; one without an order until Options.KeepSessions after its end
//	<env>/<store>/or/<order>       orders.Order, kept for good: it is the merchant's record of a sale
//	all/-/use                      what the database is for, see Claim
//	<env>/-/ev/<provider>/<event>  an applied provider event, kept 35 days
//	<env>/-/qu/<provider>/<event>  an orders.Quarantined, kept for good: it is the only record of that money
//	<env>/-/rd/<order>             an order with a refund due: when that was handled, eight bytes; 0 is not yet
//	<env>/-/tk/<token>             state of a session token, kept until the token has expired
//	<env>/-/ik/<hash>              an idempotency.Answer, kept for a day
//	<env>/-/ky/<key>               a key that signs session tokens
//	<env>/-/wk                     the key that signs what merchants are told, PKCS #8
//	all/-/me/<merchant>            catalog.Merchant
//	all/<store>/st                 catalog.Store
//	all/<store>/pr/<product>       catalog.Product
//	all/-/sl/<slug>                the id of the store with that slug
//	all/-/og/<origin>/<store>      nothing: the store lists that origin
//	all/-/de                       the deployment's id
//	all/-/du/<ms>/<env>/<order>    when an order must be looked at again
//	all/-/nr/<n mod 2^18>          the number n of a batch of writes, eight bytes
//	all/-/at/<kind>/<id>           where a session (cs), order (or) or product (pr) lives: "<env>/<store>", of a product "<store>";
//	                               kept as long as its record
//
// The sandbox provider's records are in a database of their own, as if they were another company's, which they play. There
// a key is "<env>/…", and the rest is the sandbox's business. Its writes do not wait for the disk but are synced every second:
// a power cut may take back what a test provider heard in the last seconds, and never anything of ours.
//
// # Values
//
// A record is one byte that says how the rest is written, and the rest: 1 is JSON; 2, of sessions and orders, is the version
// and an instant (when an order is due, or a session may be forgotten), 8 bytes each, and JSON. The ids of "sl", "at" and "de",
// the key of "wk", the text of "use", the values of "rd" and those of the sandbox are as they are.
package badgerstore

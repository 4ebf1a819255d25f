// Package pgstore implements [record.Store] on PostgreSQL, so that several edges share one database. [Open] connects to it, and
// [Migrate] makes and changes its schema, which is in migrations.
//
// # Schema
//
// Each record is a row: what is searched, counted or compared has a column, and the whole record is in the column record, as JSON in the
// form of package record. A column repeats what the record says; both are always written together. The JSON is of the type json
// and not jsonb, so that it is stored as it was written. Instants are timestamptz with milliseconds. There are no foreign keys: what
// belongs together is written by one transaction, and nothing that others refer to is ever removed.
//
// # Concurrency
//
// Every write is one transaction of statements that depend on their arguments only. A record is written by a conditional UPDATE on
// its version, or by an INSERT that a primary or unique key refuses; the number of rows decides. So a write is correct at
// READ COMMITTED, the default, and at SERIALIZABLE, and on any engine with PostgreSQL's protocol: it depends on no lock that a statement
// asks for, on no sequence and on no notification. README.md says why, which engines that are, and which of them CI runs.
//
// Changes of orders and sessions that wait at the same time share a transaction (group commit). It decides all of them or none: if one is
// refused, each is tried again in a transaction of its own.
//
// A transaction that the database rolls back for a concurrent one, or that breaks with its connection before its COMMIT, is tried again:
// at most 10 times within [Options.Timeout], after pauses at random. If none succeeds, the error is [ErrUnavailable].
//
// A commit whose answer is lost is resolved by reading the row that it wrote. The error is [ErrOutcomeUnknown] where it has written none,
// where others have written the row since, and where the database cannot be read. Both errors are a 503 with Retry-After in the API.
//
// A read is one statement, and goes to the same server as the writes: no replica answers it.
//
// # Copies
//
// [DB.Export] and [DB.Import] copy the entries of a store. [DB.BeginCopy] marks a database that holds a part of a copy only; no server
// starts on it. No database here has a paid order from a version without receipts, for which package badgerstore reports a missing one at its
// start: [DB.Import] gets entries from an up-to-date store only, and those reports, in its outbox, are among them.
package pgstore

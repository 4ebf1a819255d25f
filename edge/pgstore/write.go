package pgstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// statement is one statement of a transaction.
type statement struct {
	sql  string
	args []any

	// otherwise is the error of the transaction, which is then rolled back, if the statement affects no row. A nil error permits
	// that.
	otherwise error

	// row is what the statement writes if it can be read again after a commit whose outcome is unknown; else nil.
	row *row
}

// maxTries is how often a transaction is tried that the database has rolled back because of a concurrent one.
const maxTries = 10

// write executes statements in one transaction: all have their effect, durably, or none. It tries again what the database rolls
// back because of a concurrent transaction, and what breaks with its connection. If the connection breaks during the commit, it
// reads a row that the statements write, to learn the outcome. Its errors are those of the statements, [ErrUnavailable] without an
// effect, and [ErrOutcomeUnknown].
//
// The statements depend only on their arguments, so that they are sent together, and the transaction takes two round trips.
func (db *DB) write(ctx context.Context, statements ...statement) error {
	if !db.usable() {
		return ErrUnavailable
	}
	return db.try(ctx, statements, db.transaction)
}

// writeInGroup is write for statements that rarely fail: they share a commit with those of other calls. What fails in a
// group is tried again alone.
func (db *DB) writeInGroup(ctx context.Context, statements ...statement) error {
	if !db.usable() {
		return ErrUnavailable
	}
	return db.try(ctx, statements, db.commitInGroup)
}

// try executes statements by first, and then as often as necessary by a transaction of their own.
func (db *DB) try(ctx context.Context, statements []statement, first func(context.Context, []statement) error) error {
	ctx, cancel := context.WithTimeout(ctx, db.timeout)
	defer cancel()
	execute := first
	var unknown error // of a try whose outcome is unknown
	for try := 1; ; try++ {
		err := execute(ctx, statements)
		execute = db.transaction
		if errors.Is(err, ErrOutcomeUnknown) {
			unknown = err
		}
		if err != nil && unknown != nil {
			err = db.resolve(ctx, statements, err, unknown)
		}
		if !concurrent(err) && !errors.Is(err, errNoEffect) && !errors.Is(err, errGroup) || try == maxTries {
			return db.conclude(err, unknown)
		}
		db.retried.Inc()
		if stopped := db.injected("retry", &statement{}); stopped != nil {
			return db.conclude(err, unknown)
		}
		select {
		case <-time.After(backoff(try)):
		case <-ctx.Done():
			return db.conclude(err, unknown)
		}
	}
}

// conclude returns the error of a write: err is that of its last try, unknown that of an earlier one whose outcome is unknown, if any.
func (db *DB) conclude(err, unknown error) error {
	if err != nil && unknown != nil && passing(err) && !errors.Is(err, ErrOutcomeUnknown) {
		err = errors.Join(unknown, err)
	}
	if errors.Is(err, ErrOutcomeUnknown) {
		db.failures.Inc("outcome-unknown")
		db.log.Warn("it is unknown whether a write had its effect", "error", err)
		return err
	}
	return db.unavailable(err)
}

// backoff is at random, so that two transactions that collide do not collide again; on average 2 ms after the first try, and at
// most 100 ms.
func backoff(try int) time.Duration {
	return time.Duration(rand.Int64N(int64(min(4*time.Millisecond<<(try-1), 200*time.Millisecond))))
}

// errNoEffect is the outcome of a transaction that was lost with its connection.
var errNoEffect = fmt.Errorf("%w: the connection broke before the commit", io.ErrUnexpectedEOF)

// resolve reads what became of a write after a try whose outcome is unknown. It returns nil if the write had its effect and
// [errNoEffect] if that try had none. The commit of that try may have been in progress at that reading, so that a later try waits
// for it and is then refused because of it: resolve therefore also judges err, the error of the last try, and returns it if the
// write had no effect.
func (db *DB) resolve(ctx context.Context, statements []statement, err, unknown error) error {
	for _, s := range statements {
		if s.row == nil {
			continue
		}
		switch found, reading := s.row.stored(ctx, db); {
		case reading != nil:
			return errors.Join(unknown, reading)
		case found == written:
			return nil
		case found == absent && errors.Is(err, ErrOutcomeUnknown):
			return errNoEffect
		case found == absent:
			return err
		}
		return unknown
	}
	return unknown
}

func (db *DB) transaction(ctx context.Context, statements []statement) error {
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer db.release(conn)
	err = db.execute(ctx, conn, statements)
	switch {
	case err == nil:
		return db.commit(ctx, conn)
	case conn.Conn().IsClosed():
		return fmt.Errorf("%w: %w", errNoEffect, err)
	}
	_, rollback := conn.Exec(ctx, "ROLLBACK")
	return errors.Join(err, rollback)
}

// idleLimit is how long a transaction may wait for its server, which was suspended, or cut off, before the commit. Then the database ends it:
// it would hold its locks until the server comes back, and the other servers could take none of its leases. A direct connection
// has this limit from its start; through a pooler it is one of each transaction.
const (
	idleLimit      = "idle_in_transaction_session_timeout"
	idleLimitValue = "2s"
)

// execute begins a transaction and sends all of its statements.
func (db *DB) execute(ctx context.Context, conn *pgxpool.Conn, statements []statement) error {
	batch := &pgx.Batch{}
	batch.Queue("BEGIN ISOLATION LEVEL " + string(db.isolation))
	if !db.direct {
		batch.Queue("SET LOCAL " + idleLimit + " = '" + idleLimitValue + "'")
	}
	begin := batch.Len()
	for _, s := range statements {
		if err := db.injected("statement", &s); err != nil {
			return err
		}
		batch.Queue(s.sql, s.args...)
	}
	results := conn.SendBatch(ctx, batch)
	defer results.Close()
	for range begin {
		if _, err := results.Exec(); err != nil {
			return err
		}
	}
	for _, s := range statements {
		tag, err := results.Exec()
		if err != nil {
			return err
		}
		if s.otherwise != nil && tag.RowsAffected() == 0 {
			return s.otherwise
		}
	}
	return results.Close()
}

// commit ends a transaction. Unless the database says that it is rolled back, the outcome of an error is unknown.
func (db *DB) commit(ctx context.Context, conn *pgxpool.Conn) error {
	if err := db.injected("commit", &statement{}); err != nil {
		return err
	}
	tag, err := conn.Exec(ctx, "COMMIT")
	if err == nil {
		err = db.injected("committed", &statement{})
	}
	switch {
	case err == nil && tag.String() == "ROLLBACK":
		return errors.New("pgstore: the transaction was rolled back")
	case err == nil, rolledBack(err):
		return err
	}
	return &outcomeUnknown{err}
}

// injected calls the hook of a test, which returns an error to inject and may change a statement before it is sent.
func (db *DB) injected(step string, s *statement) error {
	if db.fault == nil {
		return nil
	}
	return db.fault(step, s)
}

package pgstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// While entries are copied into a database, its use is the one below instead of that of a server: no server starts on it, and a copy that
// was interrupted is known as one.
const copying = "an unfinished copy"

// ErrUnfinished: a copy into the database was interrupted.
var ErrUnfinished = errors.New("the database holds an unfinished copy; run crepe migrate badger-to-postgres again")

var (
	// ErrNotEmpty: the database holds records that no unfinished copy has put there.
	ErrNotEmpty = errors.New("the database holds records already; copy into a new one, see crepe migrate --help")
	// ErrInUse: a server is running on the database.
	ErrInUse = errors.New("a server is running on the database; stop it first")
)

// BeginCopy prepares the database for [DB.Import]: it removes what an interrupted copy has left, and marks the database as unfinished
// until [DB.EndCopy]. Its errors are [ErrInUse] and [ErrNotEmpty]. Only one process may copy into a database at a time.
func (db *DB) BeginCopy(ctx context.Context) error {
	if err := db.Idle(ctx); err != nil {
		return err
	}
	use, err := db.Claim(ctx, "")
	if err != nil {
		return err
	}
	if use == copying {
		return db.empty(ctx)
	}
	if use != "" {
		return ErrNotEmpty
	}
	for _, t := range exports {
		if n, err := count(ctx, db, "SELECT count(*) FROM ("+t.query()+" LIMIT 1) AS present"); err != nil || n > 0 {
			return errors.Join(err, ErrNotEmpty)
		}
	}
	_, err = db.Claim(ctx, copying)
	return err
}

// empty removes all entries and keeps the mark.
func (db *DB) empty(ctx context.Context) error {
	statements := []statement{{sql: "DELETE FROM settings WHERE name NOT IN ('use', '" + schemaNeeds + "')"}}
	tables := derivedTables
	for _, t := range exports {
		if t.table != "settings" {
			tables = append(tables[:len(tables):len(tables)], t.table)
		}
	}
	return db.write(ctx, append(statements, statement{sql: "TRUNCATE " + strings.Join(tables, ", ")})...)
}

// EndCopy ends a copy and sets what the database is used for; "" is nothing.
func (db *DB) EndCopy(ctx context.Context, use string) error {
	set := statement{sql: "UPDATE settings SET value = $1 WHERE name = 'use'", args: []any{[]byte(use)}}
	if use == "" {
		set = statement{sql: "DELETE FROM settings WHERE name = 'use'"}
	}
	return db.write(ctx, set)
}

// Idle returns [ErrInUse] if a server is running on the database: it extends its leases. It waits for the end of leases that a server
// has left which was stopped a few seconds ago.
func (db *DB) Idle(ctx context.Context) error {
	for first := (time.Time{}); ; {
		held, err := collect(ctx, db, pgx.RowTo[*time.Time], "SELECT max(held_until) FROM leases WHERE held_until > clock_timestamp()")
		switch {
		case err != nil:
			return fmt.Errorf("leases: %w", err)
		case held[0] == nil:
			return nil
		case first.IsZero():
			first = *held[0]
			db.log.Info("waits for the end of the leases of stopped servers", "until", first)
		case held[0].After(first):
			return ErrInUse
		}
		select {
		case <-time.After(time.Second / 2):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Finished returns [ErrUnfinished] if a copy into the database was interrupted.
func (db *DB) Finished(ctx context.Context) error {
	use, err := db.Claim(ctx, "")
	if err == nil && use == copying {
		err = ErrUnfinished
	}
	return err
}

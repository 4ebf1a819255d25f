package pgstore

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crepe-checkout/crepe/edge/record"
)

// collect executes a query and returns its rows. It tries again once if the connection breaks.
func collect[T any](ctx context.Context, db *DB, row pgx.RowToFunc[T], sql string, args ...any) ([]T, error) {
	if !db.usable() {
		return nil, ErrUnavailable
	}
	ctx, cancel := context.WithTimeout(ctx, db.timeout)
	defer cancel()
	all, err := query(ctx, db, row, sql, args)
	if err != nil && broken(err) && ctx.Err() == nil {
		all, err = query(ctx, db, row, sql, args)
	}
	return all, db.unavailable(err)
}

func query[T any](ctx context.Context, db *DB, row pgx.RowToFunc[T], sql string, args []any) ([]T, error) {
	s := statement{sql: sql, args: args}
	if err := db.injected("read", &s); err != nil {
		return nil, err
	}
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer db.release(conn)
	rows, err := conn.Query(ctx, s.sql, s.args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, row)
}

// release returns a connection to the pool, or takes one out of it that broke or was not answered in time. The others, which may have
// broken with it, are made anew. The pool itself would keep the place of one that is not answered for 15 seconds.
func (db *DB) release(c *pgxpool.Conn) {
	if !c.Conn().IsClosed() {
		c.Release() // closes one that is in a transaction
		return
	}
	c.Hijack()
	db.pool.Reset()
}

// decoded reads a row whose only column is a record.
func decoded[T any](row pgx.CollectableRow) (*T, error) {
	var text []byte
	if err := row.Scan(&text); err != nil {
		return nil, err
	}
	return recordOf[T](text)
}

// recordOf decodes a record.
func recordOf[T any](text []byte) (*T, error) {
	v := new(T)
	return v, record.Unmarshal(text, v)
}

// all reads the records that a query selects.
func all[T any](ctx context.Context, db *DB, sql string, args ...any) ([]*T, error) {
	return collect(ctx, db, decoded[T], sql, args...)
}

// one reads the record that a query selects; the error is missing if it selects none.
func one[T any](ctx context.Context, db *DB, missing error, sql string, args ...any) (*T, error) {
	records, err := all[T](ctx, db, sql, args...)
	if err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return nil, missing
	}
	return records[0], nil
}

// count executes a query whose result is one number.
func count(ctx context.Context, db *DB, sql string, args ...any) (int, error) {
	numbers, err := collect(ctx, db, pgx.RowTo[int], sql, args...)
	if err != nil {
		return 0, err
	}
	return numbers[0], nil
}

// encoded is the record of a domain value, for a column of the type json.
func encoded(v any) (string, error) {
	text, err := record.Marshal(v)
	return string(text), err
}

// at is an instant as a column has it; 0 is NULL.
func at(milli int64) *time.Time {
	if milli == 0 {
		return nil
	}
	t := time.UnixMilli(milli).UTC()
	return &t
}

// orNull is a text as a column has it; "" is NULL.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// broken reports whether an error is that of a connection which had been made and has ended.
func broken(err error) bool {
	if _, connecting := errors.AsType[*pgconn.ConnectError](err); connecting {
		return false
	}
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok {
		return severity(answer) != "ERROR"
	}
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		strings.Contains(err.Error(), "conn closed")
}

func mentions(url, parameter string) bool { return strings.Contains(url, parameter+"=") }

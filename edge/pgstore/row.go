package pgstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// row is a row of a table whose records are written by compare-and-set: its cells besides version and record.
type row struct {
	table string
	keys  int // how many of the first cells are the primary key
	cells []cell
}

type cell struct {
	column string
	value  any
}

// put returns the statement that writes the row with the version after read, which is 0 for a new row. Unless the stored version is
// read, it affects no row, and the error is stale. v is the domain value with that next version.
func (r row) put(read uint64, v any, stale error) (statement, error) {
	text, err := encoded(v)
	if err != nil {
		return statement{}, err
	}
	s := r.add(read+1, text, stale)
	if read != 0 {
		update := s.row.update(int64(read))
		s.sql, s.args = update.sql, update.args
	}
	return s, nil
}

// add returns the statement that writes a new row with a version. If there is one with its primary key, the error is present.
func (r row) add(version uint64, text string, present error) statement {
	r.cells = append(r.cells, cell{"version", int64(version)}, cell{"record", text})
	s := r.insert()
	s.otherwise, s.row = present, &r
	return s
}

func (r *row) insert() statement {
	var columns, parameters []string
	var args []any
	for i, c := range r.cells {
		columns, parameters, args = append(columns, c.column), append(parameters, fmt.Sprint("$", i+1)), append(args, c.value)
	}
	return statement{sql: "INSERT INTO " + r.table + " (" + strings.Join(columns, ", ") + ") VALUES (" + strings.Join(parameters, ", ") +
		") ON CONFLICT DO NOTHING", args: args}
}

func (r *row) update(version int64) statement {
	var assignments []string
	var args []any
	for i, c := range r.cells {
		args = append(args, c.value)
		if i >= r.keys {
			assignments = append(assignments, fmt.Sprint(c.column, " = $", i+1))
		}
	}
	return statement{sql: "UPDATE " + r.table + " SET " + strings.Join(assignments, ", ") + " WHERE " + r.identity() +
		fmt.Sprint(" AND version = $", len(args)+1), args: append(args, version)}
}

// identity is the condition on the primary key, whose values are the first parameters.
func (r *row) identity() string {
	var conditions []string
	for i, c := range r.cells[:r.keys] {
		conditions = append(conditions, fmt.Sprint(c.column, " = $", i+1))
	}
	return strings.Join(conditions, " AND ")
}

// outcome is what a read shows of a transaction whose outcome is unknown.
type outcome int

const (
	absent    outcome = iota // it had no effect
	written                  // it had its effect
	overtaken                // others have written the row since, so that nothing shows it
)

// stored reads whether the database has the row as it was to be written. Its JSON is compared in the form in which the engine has it: CockroachDB
// stores the type json as jsonb.
func (r *row) stored(ctx context.Context, db *DB) (outcome, error) {
	version, text := r.cells[len(r.cells)-2].value.(int64), r.cells[len(r.cells)-1].value
	var args []any
	for _, c := range r.cells[:r.keys] {
		args = append(args, c.value)
	}
	type state struct {
		Version int64
		Same    bool
	}
	rows, err := collect(ctx, db, pgx.RowToStructByPos[state], fmt.Sprintf("SELECT version, record::text = $%d::json::text FROM %s WHERE %s",
		r.keys+1, r.table, r.identity()), append(args, text)...)
	switch {
	case err != nil:
		return overtaken, err
	case len(rows) == 0, rows[0].Version < version:
		return absent, nil
	case rows[0].Version == version && rows[0].Same:
		return written, nil
	}
	return overtaken, nil
}

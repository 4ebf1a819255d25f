package pgstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/record"
)

// list selects rows of some stores in one environment, the newest first and then by id. Each store and status is read from an index
// of its own, so that a page costs what it holds and skips.
type list struct {
	table, instant string // the column of the instant
	status         bool   // statuses narrow the list
	conditions     []string
	args           []any
}

// listOf returns the list of all rows of some stores; statuses are those of the table, if it has any.
func listOf(table, instant string, env checkout.Environment, stores []string, statuses ...string) *list {
	l := &list{table: table, instant: instant, status: statuses != nil, args: []any{env, stores}}
	if l.status {
		l.args = append(l.args, statuses)
	}
	return l
}

// where adds a condition, which ends before its parameter.
func (l *list) where(condition string, value any) {
	l.args = append(l.args, value)
	l.conditions = append(l.conditions, fmt.Sprintf("(%s$%d)", condition, len(l.args)))
}

var errCursor = errors.New("pgstore: the cursor is not one of this list")

// after starts the list behind the row of a cursor; "" is the beginning. A cursor is the row's instant in Unix milliseconds and its
// id.
func (l *list) after(cursor string) error {
	if cursor == "" {
		return nil
	}
	text, id, _ := strings.Cut(cursor, "/")
	milli, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return errCursor
	}
	n := len(l.args)
	l.args = append(l.args, time.UnixMilli(milli), id)
	l.conditions = append(l.conditions, fmt.Sprintf("(%[1]s <= $%[2]d AND (%[1]s < $%[2]d OR id > $%[3]d))", l.instant, n+1, n+2))
	return nil
}

// condition is the condition on a row whose store and status are compared with these expressions.
func (l *list) condition(store, status string) string {
	condition := "environment = $1 AND store_id = " + store
	if l.status {
		condition += " AND status = " + status
	}
	return strings.Join(append([]string{condition}, l.conditions...), " AND ")
}

// from is the clause FROM of each index.
func (l *list) from() string {
	if l.status {
		return "unnest($2::text[]) AS in_store(store) CROSS JOIN unnest($3::text[]) AS in_status(wanted)"
	}
	return "unnest($2::text[]) AS in_store(store)"
}

// page is the query of the columns of some rows of the list.
func (l *list) page(columns string, offset, limit int) (string, []any) {
	n := len(l.args)
	return fmt.Sprintf(`SELECT %[1]s FROM %[2]s CROSS JOIN LATERAL (SELECT * FROM %[3]s WHERE %[4]s ORDER BY %[5]s DESC, id LIMIT $%[6]d) AS r
		ORDER BY r.%[5]s DESC, r.id LIMIT $%[7]d OFFSET $%[8]d`, columns, l.from(), l.table, l.condition("in_store.store", "in_status.wanted"), l.instant, n+1, n+2, n+3),
		append(l.args[:n:n], offset+limit, limit, offset)
}

// readList reads a page of the records of a list, and the cursor of the next page, "" if there is none.
func readList[T any](ctx context.Context, db *DB, l *list, offset, limit int) (records []*T, next string, err error) {
	type entry struct {
		id   string
		at   time.Time
		text []byte
	}
	sql, args := l.page("r.id, r."+l.instant+", r.record", offset, limit+1)
	entries, err := collect(ctx, db, func(row pgx.CollectableRow) (e entry, err error) {
		return e, row.Scan(&e.id, &e.at, &e.text)
	}, sql, args...)
	if err != nil {
		return nil, "", err
	}
	for i, e := range entries {
		if i == limit {
			return records, cursor(entries[i-1].at, entries[i-1].id), nil
		}
		v := new(T)
		if err := record.Unmarshal(e.text, v); err != nil {
			return nil, "", fmt.Errorf("%s %s: %w", l.table, e.id, err)
		}
		records = append(records, v)
	}
	return records, "", nil
}

func cursor(at time.Time, id string) string { return strconv.FormatInt(at.UnixMilli(), 10) + "/" + id }

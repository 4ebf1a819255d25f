package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/storetest"
)

// mistake is a seeded bug: a hook that changes what the store sends. aside are connections of its own, to the same schema.
type mistake struct {
	check string // of storetest that rejects it
	hook  func(aside *pgxpool.Pool) hook
	level pgx.TxIsoLevel // at which it is wrong; "" is every one
}

type hook = func(step string, sql *string, args *[]any) error

// rewriting replaces a part of each statement and query that has it.
func rewriting(old, replacement string) func(*pgxpool.Pool) hook {
	return func(*pgxpool.Pool) hook {
		return func(_ string, sql *string, _ *[]any) error {
			*sql = strings.ReplaceAll(*sql, old, replacement)
			return nil
		}
	}
}

var versionCondition = regexp.MustCompile(` AND version = (\$\d+)$`)

// unconditional drops the condition on the version.
func unconditional(sql *string) bool {
	changed := versionCondition.ReplaceAllString(*sql, " AND $1::bigint > 0")
	dropped := changed != *sql
	*sql = changed
	return dropped
}

// outside executes the statements on some table in a transaction of their own.
func outside(table string) func(*pgxpool.Pool) hook {
	return func(aside *pgxpool.Pool) hook {
		return func(step string, sql *string, args *[]any) error {
			if step != "statement" || !strings.HasPrefix(*sql, "INSERT INTO "+table+" ") {
				return nil
			}
			tag, err := aside.Exec(context.Background(), *sql, *args...)
			*sql, *args = fmt.Sprintf("SELECT 1 WHERE %d > 0", tag.RowsAffected()), nil
			return err
		}
	}
}

// checkThenSet compares the version before the transaction writes the row.
func checkThenSet(aside *pgxpool.Pool) hook {
	return func(step string, sql *string, args *[]any) error {
		if step != "statement" || !strings.HasPrefix(*sql, "UPDATE orders ") || !unconditional(sql) {
			return nil
		}
		var version int64
		values := *args
		err := aside.QueryRow(context.Background(), "SELECT version FROM orders WHERE id = $1", values[0]).Scan(&version)
		if err == nil && version != values[len(values)-1] {
			err = orders.ErrStale
		}
		time.Sleep(time.Millisecond)
		return err
	}
}

var mistakes = map[string]mistake{
	"no condition on the version": {check: "a stale write changes nothing", hook: func(*pgxpool.Pool) hook {
		return func(_ string, sql *string, _ *[]any) error { unconditional(sql); return nil }
	}},
	"the version is checked before it is set": {check: "concurrent updates are not lost", hook: checkThenSet},
	"a new row replaces an old one": {check: "one of many concurrent orders wins a session", hook: func(*pgxpool.Pool) hook {
		return func(_ string, sql *string, _ *[]any) error {
			if strings.HasPrefix(*sql, "INSERT INTO sessions ") {
				*sql = strings.Replace(*sql, "DO NOTHING", "(id) DO UPDATE SET record = excluded.record, version = excluded.version", 1)
			}
			return nil
		}
	}},
	"a spent token is spent again":    {check: "one of many concurrent spends wins", hook: rewriting("WHERE NOT session_tokens.spent", "")},
	"an event is seen again":          {check: "one of many concurrent deliveries applies an event", hook: rewriting("WHERE provider_events.expires_at <= $5", "WHERE $5::timestamptz IS NOT NULL")},
	"a slug changes its store":        {check: "a slug has one store", hook: rewriting("WHERE slugs.store_id = excluded.store_id", "")},
	"an order of either environment":  {check: "an order belongs to its environment", hook: rewriting("WHERE id = $1 AND environment = $2", "WHERE id = $1 AND $2::text <> ''")},
	"facts in their own transaction":  {check: "a fact is stored with its change or not at all", hook: outside("outbox")},
	"tokens in their own transaction": {check: "a stale write changes nothing", hook: outside("session_tokens")},
	"documents in their own transaction": {check: "a document is written with its fact or not at all",
		hook: outside("documents\n\t\t(token,")},
	"documents numbered over all stores": {check: "each series has its own numbers", hook: rewriting(
		"SELECT coalesce(max(number), 0) FROM documents WHERE environment = $2 AND store_id = $3 AND kind = $4 AND year = $5", "SELECT count(*) FROM documents")},
	"documents with any number": {check: "documents are numbered without gaps", hook: rewriting("WHERE $6 - 1 =", "WHERE $6::bigint > 0 OR 0 =")},
	"facts numbered by the clock of another machine": {check: "facts stay in their order until they are taken", hook: rewriting(
		"greatest((extract(epoch FROM clock_timestamp()) * 1000000)::bigint, coalesce(max(seq) + 1, 0))", "2000000000000000 - count(*) * 1000 - (extract(epoch FROM clock_timestamp()) * 1000000)::bigint % 1000")},
	"a lease is taken before its end": {check: "one of many concurrent holders gets a task",
		hook: rewriting("WHERE leases.holder = excluded.holder OR leases.held_until <= clock_timestamp()", "")},
	"lost retries": {level: pgx.Serializable, check: "concurrent updates are not lost", hook: func(*pgxpool.Pool) hook {
		return func(step string, _ *string, _ *[]any) error {
			if step == "retry" {
				return errors.New("no more tries")
			}
			return nil
		}
	}},
	"answers for ever":            {check: "an answer expires", hook: rewriting("AND hash = $2 AND expires_at > $3", "AND hash = $2 AND $3::timestamptz IS NOT NULL")},
	"lists with the oldest first": {check: "orders are listed as they are published, the newest first", hook: rewriting(" DESC,", " ASC,")},
}

// TestMistakes: storetest rejects the store with each of these bugs, at each level at which it is one.
func TestMistakes(t *testing.T) {
	for _, level := range []pgx.TxIsoLevel{pgx.Serializable, pgx.ReadCommitted} {
		url := server.Schema(t, "store", migrate)
		aside, err := pgxpool.New(context.Background(), url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(aside.Close)
		db := openAt(t, url, pgstore.Options{Isolation: level})
		for _, name := range slices.Sorted(maps.Keys(mistakes)) {
			m := mistakes[name]
			if m.level != "" && m.level != level {
				continue
			}
			t.Run(fmt.Sprintf("%s, %s", name, level), func(t *testing.T) {
				db.Inject(m.hook(aside))
				err := checkNamed(t, m.check).Do(db)
				answer, ok := errors.AsType[*pgconn.PgError](err)
				switch {
				case err == nil:
					t.Errorf("%q passes", m.check)
				case ok && strings.HasPrefix(answer.Code, "42"):
					t.Errorf("the mistake is no SQL: %v", err)
				}
				t.Log(err)
			})
		}
	}
}

func checkNamed(t *testing.T, name string) storetest.Check {
	t.Helper()
	all := storetest.Checks()
	i := slices.IndexFunc(all, func(c storetest.Check) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("storetest has no check %q", name)
	}
	return all[i]
}

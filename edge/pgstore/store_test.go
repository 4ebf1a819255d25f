package pgstore_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/pgtest"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/storetest"
)

var server *pgtest.Cluster

func TestMain(m *testing.M) {
	var err error
	if server, err = pgtest.Start("fsync = off", "deadlock_timeout = 50ms", "log_min_messages = panic"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func migrate(url string) error {
	_, err := pgstore.Migrate(context.Background(), url)
	return err
}

// open returns an empty store.
func open(t testing.TB, o pgstore.Options) *pgstore.DB {
	t.Helper()
	return openAt(t, server.Schema(t, "store", migrate), o)
}

// openAt opens a store until the end of the test.
func openAt(t testing.TB, url string, o pgstore.Options) *pgstore.DB {
	t.Helper()
	db, err := pgstore.Open(context.Background(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestStore(t *testing.T) {
	for _, level := range []pgx.TxIsoLevel{pgx.Serializable, pgx.ReadCommitted} {
		t.Run(string(level), func(t *testing.T) {
			db := open(t, pgstore.Options{Isolation: level})
			db.Inject(func(_ string, sql *string, _ *[]any) error {
				if construct := refused(*sql); construct != "" {
					t.Errorf("%s in: %s", construct, *sql)
				}
				return nil
			})
			storetest.Run(t, func(testing.TB) record.Store { return db })
		})
	}
}

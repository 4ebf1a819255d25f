package pgstore_test

import (
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/pgstore"
)

// TestKeptMeanwhile: a row that is no longer to be removed when its lock is released stays.
func TestKeptMeanwhile(t *testing.T) {
	url := server.Schema(t, "store", migrate)
	db, other := openAt(t, url, pgstore.Options{}), poolOf(t, url)
	s, now := newSale(t, db), time.Now()
	if _, err := other.Exec(background, "UPDATE sessions SET kept_until = $1", now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	tx, err := other.Begin(background)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(background, "UPDATE sessions SET kept_until = NULL"); err != nil {
		t.Fatal(err)
	}
	removed := make(chan error)
	go func() { removed <- db.RemoveExpired(background, now) }()
	for waiting := 0; waiting == 0; time.Sleep(time.Millisecond) {
		if err := other.QueryRow(background, "SELECT count(*) FROM pg_locks WHERE NOT granted").Scan(&waiting); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(background); err != nil {
		t.Fatal(err)
	}
	if err := <-removed; err != nil {
		t.Fatal(err)
	}
	if _, err := db.Session(background, s.session.ID); err != nil {
		t.Error(err)
	}
}

package pgstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/pgstore"
)

// TestPrepares: statements are prepared on a direct connection, unless the URL says otherwise.
func TestPrepares(t *testing.T) {
	url := server.Schema(t, "store", migrate)
	for parameter, want := range map[string]bool{"": true, "&default_query_exec_mode=exec": false} {
		db, err := pgstore.Open(t.Context(), url+parameter, pgstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := db.Prepares(); got != want {
			t.Errorf("%q: prepared %v", parameter, got)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestTouches: uses of several tokens share a transaction, and those before a Close are stored.
func TestTouches(t *testing.T) {
	url := server.Schema(t, "store", migrate)
	db, err := pgstore.Open(t.Context(), url, pgstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const tokens = 100
	writes := 0
	db.Inject(func(step string, _ *string, _ *[]any) error {
		if step == "commit" {
			writes++
		}
		return nil
	})
	for i := range tokens {
		for _, at := range []int64{1, 3, 2} {
			db.Touch(checkout.Test, auth.Token{ID: fmt.Sprint("token-", i), ExpiresAt: time.Now().Add(time.Hour).UnixMilli()}, at)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if writes == 0 || writes > 3 {
		t.Errorf("%d transactions for %d tokens", writes, tokens)
	}
	again, err := pgstore.Open(t.Context(), url, pgstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for i := range tokens {
		if state, err := again.Token(context.Background(), checkout.Test, fmt.Sprint("token-", i)); err != nil || state.LastUsed != 3 {
			t.Errorf("token %d is %+v, %v", i, state, err)
		}
	}
}

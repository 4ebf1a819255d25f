package sandbox

import (
	"errors"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/durable"
)

func openDatabase(t testing.TB) *durable.DB {
	t.Helper()
	db, err := durable.Open(t.TempDir(), durable.Options{NoSync: true})
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

func openStore(t testing.TB) Store { return NewStore(openDatabase(t), checkout.Test) }

// TestStoreOrder: Scan visits the keys of a prefix in order, from behind a key, until it is told to stop.
func TestStoreOrder(t *testing.T) {
	s := openStore(t)
	if value, err := s.Get("p/x"); value != nil || err != nil {
		t.Errorf("a missing key: %q, %v", value, err)
	}
	var writes []Write
	for _, key := range []string{"b", "c", "a", "ab", "d"} {
		writes = append(writes, Write{Key: "p/" + key, Value: []byte(key)})
	}
	writes = append(writes, Write{Key: "p0", Value: []byte("not of the prefix")})
	change := []Write{{Key: "p/c"}, {Key: "p/none"}, {Key: "p/d", Value: []byte("D")}}
	if err := errors.Join(s.Apply(writes), s.Apply(change)); err != nil {
		t.Fatal(err)
	}
	if value, err := s.Get("p/d"); err != nil || string(value) != "D" {
		t.Errorf("d is %q, %v", value, err)
	}
	for _, c := range []struct {
		after string
		limit int
		want  string
	}{
		{"", 100, "p/a=a p/ab=ab p/b=b p/d=D "},
		{"p/a", 100, "p/ab=ab p/b=b p/d=D "},
		{"p/aa", 100, "p/ab=ab p/b=b p/d=D "},
		{"p/d", 100, ""},
		{"", 2, "p/a=a p/ab=ab "},
	} {
		seen, left := "", c.limit
		err := s.Scan("p/", c.after, func(key string, value []byte) bool {
			seen += key + "=" + string(value) + " "
			left--
			return left > 0
		})
		if err != nil || seen != c.want {
			t.Errorf("after %q: %q, %v; want %q", c.after, seen, err, c.want)
		}
	}
}

// TestStoreEnvironments: an environment does not see the keys of the other.
func TestStoreEnvironments(t *testing.T) {
	db := openDatabase(t)
	test, prod := NewStore(db, checkout.Test), NewStore(db, checkout.Prod)
	if err := test.Apply([]Write{{Key: "x", Value: []byte("1")}}); err != nil {
		t.Fatal(err)
	}
	if value, err := prod.Get("x"); err != nil || value != nil {
		t.Errorf("prod has %q, %v", value, err)
	}
	err := prod.Scan("", "", func(key string, _ []byte) bool {
		t.Errorf("prod has the key %q", key)
		return true
	})
	if err != nil {
		t.Error(err)
	}
}

package sandbox

import "testing"

// TestAccount: the account's id survives a restart, and another database has another one.
func TestAccount(t *testing.T) {
	s, other := newShop(t, nil), newShop(t, nil)
	account := func(s *Sandbox) string {
		id, err := s.Account()
		if err != nil || id == "" {
			t.Fatal(id, err)
		}
		return id
	}
	first := account(s.Sandbox)
	s.Close()
	s.start()
	if again := account(s.Sandbox); again != first {
		t.Errorf("%s became %s", first, again)
	}
	if account(other.Sandbox) == first {
		t.Error("two databases have one account")
	}
}

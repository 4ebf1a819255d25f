package server

import (
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestRenewSession: the answer has the session's end, and the buyer's e-mail address if the token fixes it; a session that cannot be
// ordered from is refused as by create-order.
func TestRenewSession(t *testing.T) {
	s := openShop(t)
	session := s.Session(t, map[string]any{"expiresInSeconds": 60})
	slug := map[string]string{"X-Store-Slug": s.File.StoreSlug, "X-Environment": "test"}
	renew := func(id string, header map[string]string) shoptest.Reply {
		return s.Post(t, "/v1/actions/checkout/renew-session", `{"checkoutSessionId":"`+id+`"}`, header)
	}
	for who, c := range map[string]struct {
		header map[string]string
		want   string
	}{
		"a visitor":                  {slug, `Z"}}`},
		"a known buyer":              {shoptest.Bearer(s.Token(t, "user-17")), `Z"}}`},
		"a buyer known by an e-mail": {shoptest.Bearer(s.Token(t, "Ada@Fieldnotes.example")), `Z","buyerEmail":"ada@fieldnotes.example"}}`},
	} {
		before, err := s.db.Session(t.Context(), session.SessionID)
		if err != nil {
			t.Fatal(err)
		}
		r := renew(session.SessionID, c.header)
		if r.Status != 200 || !strings.HasSuffix(strings.TrimSpace(r.Body), c.want) {
			t.Errorf("%s: %s", who, r)
		}
		after, err := s.db.Session(t.Context(), session.SessionID)
		if err != nil || after.ExpiresAt < before.ExpiresAt || after.ExpiresAt > before.LastsUntil {
			t.Errorf("%s: it ended at %d and ends at %d, of %d (%v)", who, before.ExpiresAt, after.ExpiresAt, before.LastsUntil, err)
		}
	}
	if stored, _ := s.db.Session(t.Context(), session.SessionID); stored.ExpiresAt != stored.LastsUntil {
		t.Errorf("ten minutes were allowed, %d ms are left of them", stored.LastsUntil-stored.ExpiresAt)
	}
	for id, status := range map[string]int{s.expiredSession(t): 409, "cs_unknown": 409, "": 400, s.foreignSession(t): 403, s.ProdSession(t): 400} {
		if r := renew(id, slug); r.Status != status {
			t.Errorf("%q: %s", id, r)
		}
	}
}

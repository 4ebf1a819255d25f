package catalog

import (
	"cmp"
	"slices"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
)

// Merchant owns stores and signs requests.
type Merchant struct {
	ID        string // "MER_…"
	Name      string
	Keys      []APIKey // oldest first, live or not
	Revision  uint64   // see [Records.Put]
	CreatedAt int64    // Unix milliseconds
}

// APIKey is one public key of a merchant. It belongs to one environment: the key that verifies a signature decides the environment
// of the request. Several keys of an environment may be live at once.
type APIKey struct {
	ID          string // "APIKEY_…", unique within the merchant
	Name        string // the operator's own word for it, may be empty
	Environment checkout.Environment
	PublicKey   string // RSA, 2048 to 8192 bits, in PEM
	CreatedAt   int64  // Unix milliseconds; 0 in records of older versions
	ExpiresAt   int64  // when a rotated key stops verifying, Unix milliseconds; 0 for never
	RevokedAt   int64  // Unix milliseconds; 0 unless revoked
}

// APIKeyPrefix is the prefix of an API key's id. The id is for operators and never on the wire.
const APIKeyPrefix = "APIKEY"

// Live reports whether the key verifies signatures.
func (k *APIKey) Live(now time.Time) bool {
	return k.RevokedAt == 0 && (k.ExpiresAt == 0 || now.UnixMilli() < k.ExpiresAt)
}

// key returns the key with an id, nil if the merchant has none.
func (m *Merchant) key(id string) *APIKey {
	for i := range m.Keys {
		if m.Keys[i].ID == id {
			return &m.Keys[i]
		}
	}
	return nil
}

// live counts the live keys of an environment.
func (m *Merchant) live(env checkout.Environment, now time.Time) (n int) {
	for i := range m.Keys {
		if k := &m.Keys[i]; k.Environment == env && k.Live(now) {
			n++
		}
	}
	return n
}

// forget removes the keys that ended first, until there are at most maxKeys. It never removes a live key.
func (m *Merchant) forget(now time.Time) {
	for len(m.Keys) > maxKeys {
		first := -1
		for i := range m.Keys {
			if k := &m.Keys[i]; !k.Live(now) && (first < 0 || k.end() < m.Keys[first].end()) {
				first = i
			}
		}
		if first < 0 {
			return
		}
		m.Keys = slices.Delete(m.Keys, first, first+1)
	}
}

// end is when a key has ended that is not live, in Unix milliseconds.
func (k *APIKey) end() int64 { return cmp.Or(k.RevokedAt, k.ExpiresAt) }

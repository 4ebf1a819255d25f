package catalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/email"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

// The bounds of a merchant's record, which every signed request reads.
const (
	maxMerchantName = 100 // characters
	maxKeyName      = 64  // characters
	maxLiveKeys     = 8   // of an environment: a request is verified with each of them
	maxKeys         = 24  // in all; the oldest of those that are not live are forgotten
)

// MaxOverlap is the longest time for which the old key of a rotation goes on verifying.
const MaxOverlap = 90 * 24 * time.Hour

// Accounts changes merchants and their API keys. Its refusals are problems with texts for an operator. It is safe for concurrent
// use.
type Accounts struct {
	Records Records
	Now     func() time.Time
	Rand    io.Reader // safe for concurrent use
}

// NewKey describes a key to add to a merchant.
type NewKey struct {
	Name        string // may be empty
	Environment checkout.Environment
	PublicKey   string // in a form that [ParsePublicKey] takes
}

// CreateMerchant creates a merchant without keys.
func (a *Accounts) CreateMerchant(ctx context.Context, name string) (*Merchant, error) {
	name, err := checkName("a merchant's name", name, 1, maxMerchantName)
	if err != nil {
		return nil, err
	}
	now := a.Now()
	m := &Merchant{ID: shortid.Format(shortid.Merchant, shortid.NewV7(now, a.Rand)), Name: name, CreatedAt: now.UnixMilli()}
	return m, a.Records.Put(ctx, Change{Merchant: m})
}

// Find returns the merchant with an id. With id "" it returns the only merchant; if there are several, the error says how to name
// one.
func (a *Accounts) Find(ctx context.Context, id string) (*Merchant, error) {
	if id == "" {
		return a.only(ctx)
	}
	m, err := a.Records.Merchant(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil, refuse(problem.NotFound, "there is no merchant %q; crepe merchant list has them", id)
	}
	return m, err
}

func (a *Accounts) only(ctx context.Context) (*Merchant, error) {
	first, err := a.Records.Merchants(ctx, "", 2)
	switch {
	case err != nil:
		return nil, err
	case len(first) == 0:
		return nil, refuse(problem.NotFound, "there is no merchant yet; crepe merchant create makes one")
	case len(first) > 1:
		return nil, refuse(problem.Invalid, "there are several merchants: name one with --merchant MER_…; crepe merchant list has them")
	}
	return first[0], nil
}

// AddKey adds a key to a merchant, which [Accounts.Find] finds. It verifies at once, beside the merchant's other keys.
func (a *Accounts) AddKey(ctx context.Context, merchantID string, n NewKey) (*Merchant, *APIKey, error) {
	m, err := a.Find(ctx, merchantID)
	if err != nil {
		return nil, nil, err
	}
	return a.changeKey(ctx, m.ID, func(m *Merchant) (*APIKey, error) { return a.add(m, n) })
}

// RotateKey adds a key that takes the place of another one, in the same environment and under the same name. The old key goes on
// verifying for the time after, so that no request is refused while the merchant changes keys.
func (a *Accounts) RotateKey(ctx context.Context, merchantID, keyID, publicKey string, after time.Duration) (*Merchant, *APIKey, error) {
	if after < 0 || after > MaxOverlap {
		return nil, nil, refuse(problem.Invalid, "the old key can go on verifying for 0 to %d hours", int(MaxOverlap.Hours()))
	}
	m, err := a.owner(ctx, merchantID, keyID)
	if err != nil {
		return nil, nil, err
	}
	return a.changeKey(ctx, m.ID, func(m *Merchant) (*APIKey, error) {
		old := m.key(keyID)
		now := a.Now()
		switch {
		case old == nil:
			return nil, unknownKey(keyID)
		case !old.Live(now):
			return nil, refuse(problem.Conflict, "the key %s does not verify any more; crepe key create makes a new one", keyID)
		case old.ExpiresAt != 0:
			return nil, refuse(problem.Conflict, "the key %s has been rotated and ends at %s; rotate the key that took its place, or see crepe key create",
				keyID, time.UnixMilli(old.ExpiresAt).UTC().Format(time.RFC3339))
		}
		n := NewKey{old.Name, old.Environment, publicKey}
		if old.ExpiresAt = now.Add(after).UnixMilli(); after == 0 {
			old.ExpiresAt, old.RevokedAt = 0, now.UnixMilli()
		}
		return a.add(m, n)
	})
}

// RevokeKey ends a key for good. Its signatures are refused as soon as the call returns. A key that has been revoked stays so.
func (a *Accounts) RevokeKey(ctx context.Context, merchantID, keyID string) (*Merchant, *APIKey, error) {
	m, err := a.owner(ctx, merchantID, keyID)
	if err != nil {
		return nil, nil, err
	}
	return a.changeKey(ctx, m.ID, func(m *Merchant) (*APIKey, error) {
		k := m.key(keyID)
		if k == nil {
			return nil, unknownKey(keyID)
		}
		if k.RevokedAt == 0 {
			k.RevokedAt = a.Now().UnixMilli()
		}
		return k, nil
	})
}

// add appends a key to the record, checked.
func (a *Accounts) add(m *Merchant, n NewKey) (*APIKey, error) {
	name, err := checkName("a key's name", n.Name, 0, maxKeyName)
	if err != nil {
		return nil, err
	}
	public, err := canonicalKey(n.PublicKey)
	if err != nil {
		return nil, refuse(problem.Invalid, "the public key is not accepted: %v", err)
	}
	for _, k := range m.Keys {
		if k.PublicKey == public { // also when it is revoked, or in the other environment
			return nil, refuse(problem.Conflict, "the merchant has this public key already, as %s in %s; make a new pair", k.ID, k.Environment)
		}
	}
	now := a.Now()
	if m.live(n.Environment, now) >= maxLiveKeys {
		return nil, refuse(problem.Conflict, "%s has %d live keys of %s, as many as can be; revoke one with crepe key revoke", m.ID, maxLiveKeys, n.Environment)
	}
	m.Keys = append(m.Keys, APIKey{ID: shortid.Format(APIKeyPrefix, shortid.NewV7(now, a.Rand)), Name: name, Environment: n.Environment,
		PublicKey: public, CreatedAt: now.UnixMilli()})
	m.forget(now)
	return &m.Keys[len(m.Keys)-1], nil
}

// owner finds the merchant of a key: the one that is named, or else the only one that has the key.
func (a *Accounts) owner(ctx context.Context, merchantID, keyID string) (*Merchant, error) {
	if merchantID != "" {
		return a.Find(ctx, merchantID)
	}
	const page = 500
	var owner *Merchant
	for after := ""; ; {
		merchants, err := a.Records.Merchants(ctx, after, page)
		if err != nil {
			return nil, err
		}
		for _, m := range merchants {
			switch after = m.ID; {
			case m.key(keyID) == nil:
			case owner != nil:
				return nil, refuse(problem.Invalid, "several merchants have a key %s: name one with --merchant MER_…", keyID)
			default:
				owner = m
			}
		}
		if len(merchants) < page {
			break
		}
	}
	if owner == nil {
		return nil, unknownKey(keyID)
	}
	return owner, nil
}

// changeKey changes a merchant's record by do, which returns the key that it has changed. It starts again while another writer is
// faster.
func (a *Accounts) changeKey(ctx context.Context, id string, do func(*Merchant) (*APIKey, error)) (*Merchant, *APIKey, error) {
	for {
		m, err := a.Find(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		key, err := do(m)
		if err != nil {
			return nil, nil, err
		}
		if err = a.Records.Put(ctx, Change{Merchant: m}); !errors.Is(err, ErrStale) {
			return m, key, err
		}
	}
}

func unknownKey(id string) error {
	if strings.HasPrefix(id, "KEY_") {
		return refuse(problem.NotFound, "%q is a key that signs session tokens: crepe token-key has those, crepe key the merchants' API keys", id)
	}
	return refuse(problem.NotFound, "there is no API key %q; crepe key list has them", id)
}

// checkName trims a name and refuses one that is too short, too long or has characters that nobody can see.
func checkName(what, name string, least, most int) (string, error) {
	name = strings.TrimSpace(name)
	n := utf8.RuneCountInString(name)
	switch {
	case n < least || n > most:
		return "", refuse(problem.Invalid, "%s has %d to %d characters", what, least, most)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, hidden):
		return "", refuse(problem.Invalid, "%s has a character that cannot be seen", what)
	}
	return name, nil
}

func hidden(r rune) bool {
	return unicode.IsControl(r) || r > unicode.MaxASCII && !unicode.IsSpace(r) && !email.Visible(r)
}

func refuse(kind problem.Kind, format string, args ...any) error {
	return problem.New(kind, kind.String(), "", fmt.Sprintf(format, args...))
}

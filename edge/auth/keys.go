package auth

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

// Keys stores the keys that sign session tokens. Every method is atomic.
type Keys interface {
	// SigningKeys reads an environment's keys, in any order.
	SigningKeys(ctx context.Context, env checkout.Environment) ([]SigningKey, error)
	// AddSigningKey makes a key durable before it returns.
	AddSigningKey(ctx context.Context, k SigningKey) error
	// RemoveSigningKey deletes a key. A missing key is no error.
	RemoveSigningKey(ctx context.Context, env checkout.Environment, id string) error
}

// SigningKey is an HMAC-SHA256 key that signs session tokens of one environment. It is symmetric: nobody verifies tokens but
// who issues them, and a public-key signature would be most of what a create-order costs.
type SigningKey struct {
	ID          string // "KEY_…", the kid of its tokens
	Environment checkout.Environment
	Secret      []byte // 32 random bytes (RFC 7518 §3.2 wants as many as the hash has)
	CreatedAt   int64  // Unix milliseconds
}

const secretSize = sha256.Size

// The life of a signing key. It is published first, so that every process has loaded it when the first token comes; then it
// signs, for a month, until the next one does; then it verifies for as long as a token that it signed can live. The first key of
// an environment signs at once: a process that does not know the key of a token reads the keys again.
const (
	ringAge    = 30 * time.Second // how long a process may go without looking whether keys came or went
	publishFor = 2 * ringAge
	signFor    = 30 * 24 * time.Hour
	retireFor  = publishFor + ringAge + customerLife + clockSkew // counted from the making of the next key
)

// maxKeys is the most that a process verifies with in one environment; the newest count.
const maxKeys = 16

// keyPrefix is that of a signing key's id. It is ours alone and never on the wire but in a token's header.
const keyPrefix = "KEY"

// Rotate makes the first signing keys, makes a new one where the newest is a month old, and removes those of which no
// token can be alive any more. It is called at start and then hourly, on several servers of a database by one of them. Servers that
// start at the same time on an empty database make a key each, and all of those verify. A key that became known to somebody is
// removed with [Service.Revoke].
func (s *Service) Rotate(ctx context.Context) error {
	for env, ring := range s.rings {
		if err := s.rotate(ctx, env); err != nil {
			return fmt.Errorf("auth: rotate %s: %w", env, err)
		}
		ring.forget()
	}
	return nil
}

func (s *Service) rotate(ctx context.Context, env checkout.Environment) error {
	keys, err := s.config.Keys.SigningKeys(ctx, env)
	if err != nil {
		return err
	}
	now := s.config.Now()
	living := alive(keys, now)
	for _, k := range keys {
		if !slices.ContainsFunc(living, func(l SigningKey) bool { return l.ID == k.ID }) {
			if err := s.config.Keys.RemoveSigningKey(ctx, env, k.ID); err != nil {
				return err
			}
		}
	}
	if len(living) > 0 && now.UnixMilli()-living[0].CreatedAt < signFor.Milliseconds() {
		return nil
	}
	return s.addKey(ctx, env)
}

// addKey makes a new key durable.
func (s *Service) addKey(ctx context.Context, env checkout.Environment) error {
	now, secret := s.config.Now(), make([]byte, secretSize)
	if _, err := io.ReadFull(s.config.Rand, secret); err != nil {
		return err
	}
	return s.config.Keys.AddSigningKey(ctx, SigningKey{
		ID: shortid.Format(keyPrefix, shortid.NewV7(now, s.config.Rand)), Environment: env, Secret: secret, CreatedAt: now.UnixMilli(),
	})
}

// alive returns the keys of which a token can still be valid, newest first.
func alive(keys []SigningKey, now time.Time) []SigningKey {
	living := slices.Clone(keys)
	slices.SortFunc(living, func(a, b SigningKey) int {
		return cmp.Or(cmp.Compare(b.CreatedAt, a.CreatedAt), cmp.Compare(b.ID, a.ID))
	})
	retired := now.Add(-retireFor).UnixMilli()
	for i := 1; i < len(living); i++ {
		if living[i-1].CreatedAt <= retired {
			return living[:i]
		}
	}
	return living
}

// keyring caches the keys of one environment. The zero value is empty and loads them at first use.
type keyring struct {
	loading sync.Mutex // held while the keys are read, by one caller for all
	cached  atomic.Pointer[ring]
}

// ring returns the keys of an environment, at most [ringAge] old.
func (s *Service) ring(ctx context.Context, env checkout.Environment) (*ring, error) {
	return s.ringSince(ctx, env, s.config.Now().Add(-ringAge))
}

// ringSince returns the keys of an environment as they were after a time. Callers that need newer keys than the cached ones share one
// read of the store; all others do not wait for it.
func (s *Service) ringSince(ctx context.Context, env checkout.Environment, since time.Time) (*ring, error) {
	k := s.rings[env]
	if r := k.cached.Load(); r.after(since) {
		return r, nil
	}
	k.loading.Lock()
	defer k.loading.Unlock()
	if r := k.cached.Load(); r.after(since) {
		return r, nil
	}
	now := s.config.Now()
	keys, err := s.config.Keys.SigningKeys(ctx, env)
	if err != nil {
		return nil, err
	}
	r, err := newRing(keys, now)
	if err != nil {
		return nil, err
	}
	k.cached.Store(r)
	return r, nil
}

// forget makes the next caller read the keys.
func (k *keyring) forget() {
	k.loading.Lock()
	defer k.loading.Unlock()
	k.cached.Store(nil)
}

// ring is an immutable snapshot of the keys of an environment.
type ring struct {
	loaded time.Time // when reading the keys began
	signer signer
	// known maps the first segment of tokens, byte for byte, to the key that signed them. Other headers are not parsed, so a token
	// cannot choose its algorithm or key.
	known map[string][]byte

	verified verified
}

// verified are tokens whose signature and encoding were found right with the keys of a ring, so that both are checked once for each
// token. A token has one slot, which others may take.
type verified struct {
	seed  maphash.Seed
	slots [1024]atomic.Pointer[verifiedToken]
}

type verifiedToken struct {
	token  string
	claims claims
}

func (v *verified) slot(token string) *atomic.Pointer[verifiedToken] {
	return &v.slots[maphash.String(v.seed, token)%uint64(len(v.slots))]
}

// claims returns the claims of a token that was verified; nil if it is not known. They must not be changed.
func (v *verified) claims(token string) *claims {
	if known := v.slot(token).Load(); known != nil && known.token == token {
		return &known.claims
	}
	return nil
}

func (v *verified) add(token string, c *claims) {
	v.slot(token).Store(&verifiedToken{strings.Clone(token), *c})
}

// after reports whether the keys were read after a time. A nil ring was not.
func (r *ring) after(since time.Time) bool { return r != nil && r.loaded.After(since) }

func newRing(keys []SigningKey, now time.Time) (*ring, error) {
	if len(keys) == 0 {
		return nil, errors.New("auth: there is no signing key; Rotate makes the first")
	}
	keys = alive(keys, now)
	keys = keys[:min(len(keys), maxKeys)]
	r := &ring{loaded: now, known: make(map[string][]byte, len(keys)), verified: verified{seed: maphash.MakeSeed()}}
	for _, k := range keys {
		s, err := newSigner(k)
		if err != nil {
			return nil, err
		}
		r.known[s.header] = s.secret
	}
	var err error
	r.signer, err = newSigner(signing(keys, now))
	return r, err
}

// signing returns the key that signs: the newest that every process has loaded, else the oldest. keys are sorted newest first.
func signing(keys []SigningKey, now time.Time) SigningKey {
	published := now.Add(-publishFor).UnixMilli()
	for _, k := range keys {
		if k.CreatedAt <= published {
			return k
		}
	}
	return keys[len(keys)-1]
}

// signer is a key ready to sign.
type signer struct {
	secret []byte
	header string // the first segment of its tokens
}

func newSigner(k SigningKey) (signer, error) {
	if len(k.Secret) != secretSize {
		return signer{}, fmt.Errorf("auth: signing key %s has a secret of %d bytes", k.ID, len(k.Secret))
	}
	header := `{"alg":"HS256","kid":"` + k.ID + `","typ":"JWT"}` // a KEY_… id needs no escape
	return signer{secret: k.Secret, header: base64.RawURLEncoding.EncodeToString([]byte(header))}, nil
}

// sign writes the claims as a JSON Web Token (RFC 7515 §3.1).
func (s *signer) sign(c *claims) (string, error) {
	payload, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	signed := s.header + "." + base64.RawURLEncoding.EncodeToString(payload)
	return signed + "." + hs256(signed, s.secret), nil
}

// hs256 is the third segment of a token, HMAC with SHA-256 (RFC 7518 §3.2) over the first two.
func hs256(signed string, secret []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(signed))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

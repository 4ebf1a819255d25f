package auth

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/catalog"
)

// How far a request's timestamp may be behind and ahead of the clock. Signatures can be replayed within this window, so handlers must be
// idempotent.
const (
	signedBefore = 5 * time.Minute
	signedAhead  = time.Minute
)

// Signed has the signed parts of a merchant's POST request, as received: the values of X-Merchant-Id, X-Timestamp and X-Signature,
// the path of the request line byte for byte, and the body. Nothing of it is retained.
type Signed struct {
	MerchantID string
	Timestamp  string // Unix seconds
	Signature  string // base64 of RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2)
	Path       string
	Body       []byte
}

// APIKey verifies a merchant's signature. The key that verifies decides the environment.
func (s *Service) APIKey(ctx context.Context, r Signed) (Caller, error) {
	if r.MerchantID == "" && r.Timestamp == "" && r.Signature == "" {
		return Caller{}, refuse(ErrNoCredential, "no credential")
	}
	if !inWindow(r.Timestamp, s.config.Now()) {
		return Caller{}, refuse(badAPIKey, "timestamp outside the window")
	}
	signature, ok := decodeSignature(r.Signature)
	if !ok {
		return Caller{}, refuse(badAPIKey, "signature is not base64")
	}
	merchant, err := s.config.Catalog.Merchant(ctx, r.MerchantID)
	if errors.Is(err, catalog.ErrNotFound) {
		return Caller{}, refuse(badAPIKey, "no such merchant")
	}
	if err != nil {
		return Caller{}, err
	}
	env, err := s.signedIn(merchant, r.digest(), signature)
	if err != nil {
		return Caller{}, err
	}
	return Caller{Role: Merchant, Environment: env, MerchantID: merchant.ID}, nil
}

// digest is the hash of the canonical request, the four lines that the merchant has signed.
func (r *Signed) digest() [sha256.Size]byte {
	body := sha256.Sum256(r.Body)
	return sha256.Sum256([]byte("POST\n" + r.Path + "\n" + r.Timestamp + "\n" + base64.StdEncoding.EncodeToString(body[:])))
}

// signedIn returns the environment of the live key that verifies the signature. It tries every live key, and refuses a key that
// belongs to both environments.
func (s *Service) signedIn(m *catalog.Merchant, digest [sha256.Size]byte, signature []byte) (checkout.Environment, error) {
	var env checkout.Environment
	now := s.config.Now()
	for i := range m.Keys {
		k := &m.Keys[i]
		if !k.Live(now) {
			continue
		}
		public, err := s.merchants.parse(k.PublicKey)
		if err != nil {
			return "", fmt.Errorf("auth: a key of %s: %w", m.ID, err)
		}
		if rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) != nil {
			continue
		}
		if env != "" && env != k.Environment {
			return "", refuse(badAPIKey, "the key stands in both environments")
		}
		env = k.Environment
	}
	if env == "" {
		return "", refuse(badAPIKey, "no live key verifies the signature")
	}
	return env, nil
}

// inWindow parses Unix seconds in canonical decimal, without sign, space or leading zero, and compares them with the window.
func inWindow(timestamp string, now time.Time) bool {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || strconv.FormatInt(seconds, 10) != timestamp {
		return false
	}
	earliest := now.Add(-signedBefore).Unix()
	latest := now.Add(signedAhead).Unix()
	return earliest <= seconds && seconds <= latest
}

// decodeSignature accepts canonical base64 only. The strict mode of encoding/base64 still skips line breaks.
func decodeSignature(s string) ([]byte, bool) {
	if len(s) > base64.StdEncoding.EncodedLen(catalog.MaxKeyBits/8) || strings.ContainsAny(s, "\r\n") {
		return nil, false
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(s)
	return signature, err == nil
}

// publicKeys caches parsed keys by their text, so no entry can be stale. The zero value is ready to use.
type publicKeys struct {
	mu     sync.RWMutex
	parsed map[string]*rsa.PublicKey
}

// maxParsed bounds the cache, about 2 KB a key. A full cache is emptied.
const maxParsed = 4096

func (c *publicKeys) parse(text string) (*rsa.PublicKey, error) {
	c.mu.RLock()
	known := c.parsed[text]
	c.mu.RUnlock()
	if known != nil {
		return known, nil
	}
	public, err := catalog.ParsePublicKey(text)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.parsed == nil || len(c.parsed) >= maxParsed {
		c.parsed = make(map[string]*rsa.PublicKey)
	}
	c.parsed[text] = public
	return public, nil
}

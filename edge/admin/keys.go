package admin

import (
	"context"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/catalog"
)

// KeyState is what becomes of requests that an API key has signed.
type KeyState string

const (
	KeyLive    KeyState = "live"    // accepted
	KeyEnding  KeyState = "ending"  // accepted until the key's end: another one has taken its place
	KeyEnded   KeyState = "ended"   // refused
	KeyRevoked KeyState = "revoked" // refused
)

// Key describes a merchant's API key.
type Key struct {
	ID          string               `json:"id"`
	MerchantID  string               `json:"merchantId"`
	Name        string               `json:"name,omitempty"`
	Environment checkout.Environment `json:"environment"`
	State       KeyState             `json:"state"`
	CreatedAt   *time.Time           `json:"createdAt"` // null in old records
	EndsAt      *time.Time           `json:"endsAt"`    // when it ends or was revoked; null for never
	PublicKey   string               `json:"publicKey"` // SPKI in PEM
}

// Keys are a merchant's keys, oldest first.
type Keys struct {
	Items []Key `json:"items"`
}

// CreateKeyRequest asks for a key of a merchant. The private key stays with the caller.
type CreateKeyRequest struct {
	MerchantID  string `json:"merchantId,omitempty"` // "" for the only merchant
	Name        string `json:"name,omitempty"`
	Environment string `json:"environment"`
	PublicKey   string `json:"publicKey"`
}

func (a *Admin) createKey(ctx context.Context, in CreateKeyRequest) (Key, error) {
	env, ok := checkout.ParseEnvironment(in.Environment)
	if !ok {
		return Key{}, refusef(problem.Invalid, "a key belongs to one environment: --env test or --env prod, not %q", in.Environment)
	}
	m, k, err := a.config.Accounts.AddKey(ctx, in.MerchantID, catalog.NewKey{Name: in.Name, Environment: env, PublicKey: in.PublicKey})
	if err != nil {
		return Key{}, err
	}
	a.config.Log.Info("an API key was created", "merchant", m.ID, "key", k.ID, "environment", env)
	return a.key(m, k), nil
}

// ListKeysRequest names a merchant.
type ListKeysRequest struct {
	MerchantID string `json:"merchantId,omitempty"` // "" for the only merchant
}

func (a *Admin) listKeys(ctx context.Context, in ListKeysRequest) (Keys, error) {
	m, err := a.config.Accounts.Find(ctx, in.MerchantID)
	if err != nil {
		return Keys{}, err
	}
	listed := Keys{Items: make([]Key, len(m.Keys))}
	for i := range m.Keys {
		listed.Items[i] = a.key(m, &m.Keys[i])
	}
	return listed, nil
}

// RotateKeyRequest names the key whose place another one takes.
type RotateKeyRequest struct {
	MerchantID string        `json:"merchantId,omitempty"` // "" for the merchant of the key
	ID         string        `json:"id"`
	PublicKey  string        `json:"publicKey"` // of the new key
	After      time.Duration `json:"after"`     // how long the old key goes on verifying
}

// RotatedKeys are the two keys of a rotation.
type RotatedKeys struct {
	New Key `json:"new"`
	Old Key `json:"old"`
}

func (a *Admin) rotateKey(ctx context.Context, in RotateKeyRequest) (RotatedKeys, error) {
	m, k, err := a.config.Accounts.RotateKey(ctx, in.MerchantID, in.ID, in.PublicKey, in.After)
	if err != nil {
		return RotatedKeys{}, err
	}
	rotated := RotatedKeys{New: a.key(m, k)}
	for i := range m.Keys {
		if m.Keys[i].ID == in.ID {
			rotated.Old = a.key(m, &m.Keys[i])
		}
	}
	a.config.Log.Info("an API key was rotated", "merchant", m.ID, "key", k.ID, "old", in.ID, "until", rotated.Old.EndsAt)
	return rotated, nil
}

// RevokeKeyRequest names a key to revoke.
type RevokeKeyRequest struct {
	MerchantID string `json:"merchantId,omitempty"` // "" for the merchant of the key
	ID         string `json:"id"`
}

func (a *Admin) revokeKey(ctx context.Context, in RevokeKeyRequest) (Key, error) {
	m, k, err := a.config.Accounts.RevokeKey(ctx, in.MerchantID, in.ID)
	if err != nil {
		return Key{}, err
	}
	a.config.Log.Warn("an API key was revoked: what it signs is refused", "merchant", m.ID, "key", k.ID)
	return a.key(m, k), nil
}

func (a *Admin) key(m *catalog.Merchant, k *catalog.APIKey) Key {
	shown := Key{k.ID, m.ID, k.Name, k.Environment, KeyLive, moment(k.CreatedAt), moment(k.ExpiresAt), k.PublicKey}
	switch live := k.Live(a.config.Accounts.Now()); {
	case k.RevokedAt != 0:
		shown.State, shown.EndsAt = KeyRevoked, moment(k.RevokedAt)
	case !live:
		shown.State = KeyEnded
	case k.ExpiresAt != 0:
		shown.State = KeyEnding
	}
	return shown
}

package record

import (
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/auth"
)

const (
	signingKeyVersion = 1
	tokenVersion      = 1
)

type signingKey struct {
	header
	ID          string               `json:"id"`
	Environment checkout.Environment `json:"environment"`
	Secret      []byte               `json:"secret"` // base64
	CreatedAt   int64                `json:"createdAt"`
}

type token struct {
	header
	LastUsed int64 `json:"lastUsed,omitempty"`
	Spent    bool  `json:"spent,omitempty"`
}

func encodeSigningKey(k *auth.SigningKey) ([]byte, error) {
	return encode(&signingKey{header{signingKeyVersion}, k.ID, k.Environment, k.Secret, k.CreatedAt})
}

func decodeSigningKey(text []byte) (*auth.SigningKey, error) {
	var r signingKey
	if err := decode(text, &r, signingKeyVersion); err != nil {
		return nil, err
	}
	return &auth.SigningKey{ID: r.ID, Environment: r.Environment, Secret: r.Secret, CreatedAt: r.CreatedAt}, nil
}

func encodeToken(s *auth.TokenState) ([]byte, error) {
	return encode(&token{header{tokenVersion}, s.LastUsed, s.Spent})
}

func decodeToken(text []byte) (*auth.TokenState, error) {
	var r token
	if err := decode(text, &r, tokenVersion); err != nil {
		return nil, err
	}
	return &auth.TokenState{LastUsed: r.LastUsed, Spent: r.Spent}, nil
}

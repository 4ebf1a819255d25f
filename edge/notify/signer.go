package notify

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
)

// keyBits is the size of a signing key: the smallest that verifiers still accept everywhere.
const keyBits = 2048

// Keys keeps the private key of each environment, PKCS #8 in DER.
type Keys interface {
	// WebhookKey is the environment's key. Where there is none yet it stores fallback and answers that, in one atomic step,
	// so that two processes that start together agree.
	WebhookKey(ctx context.Context, env checkout.Environment, fallback func() ([]byte, error)) ([]byte, error)
}

// Signer signs the deliveries of one environment. It is safe for concurrent use.
type Signer struct{ key *rsa.PrivateKey }

// NewSigner reads the environment's key, or makes it at the first start.
func NewSigner(ctx context.Context, keys Keys, env checkout.Environment) (*Signer, error) {
	der, err := keys.WebhookKey(ctx, env, newKey)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("notify: the %s signing key is damaged: %w", env, err)
	}
	rsaKey, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("notify: the signing key is not RSA")
	}
	return &Signer{rsaKey}, nil
}

func newKey() ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, err
	}
	return x509.MarshalPKCS8PrivateKey(key)
}

// PublicKey is what a merchant verifies with, SPKI in PEM.
func (s *Signer) PublicKey() (string, error) {
	der, err := x509.MarshalPKIXPublicKey(&s.key.PublicKey)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

// Sign makes the X-Waffo-Signature header of a raw body at an instant: RSA with SHA-256 (PKCS #1 v1.5) over "<t>.<body>",
// t in Unix milliseconds. A delivery is signed once; its retries repeat header and body.
func (s *Signer) Sign(body []byte, at time.Time) (string, error) {
	t := strconv.FormatInt(at.UnixMilli(), 10)
	digest := sha256.Sum256(append([]byte(t+"."), body...))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, digest[:])
	if err != nil {
		return "", err
	}
	return "t=" + t + ",v1=" + base64.StdEncoding.EncodeToString(signature), nil
}

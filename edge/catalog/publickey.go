package catalog

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// The RSA keys that merchants may use, in bits.
const (
	minKeyBits = 2048
	MaxKeyBits = 8192

	exponent = 65537
)

// maxKeyText is the longest public key read, in bytes: 8192 bits in PEM take about 1500.
const maxKeyText = 4096

// ParsePublicKey reads a merchant's RSA public key as the SDK takes it: SPKI or PKCS #1 in PEM, or the base64 of an SPKI
// without its frame. The key has 2048 to 8192 bits and the exponent 65537.
func ParsePublicKey(text string) (*rsa.PublicKey, error) {
	if len(text) > maxKeyText {
		return nil, errors.New("public key too long")
	}
	parsed, err := parseKey(text)
	if err != nil {
		return nil, err
	}
	public, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("not an RSA key")
	}
	if size := public.N.BitLen(); size < minKeyBits || size > MaxKeyBits || public.E != exponent {
		return nil, fmt.Errorf("RSA key of %d bits with exponent %d", size, public.E)
	}
	return public, nil
}

func parseKey(text string) (any, error) {
	text = strings.TrimSpace(text)
	block, rest := pem.Decode([]byte(text))
	switch {
	case block == nil:
		der, err := base64.StdEncoding.Strict().DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			return nil, errors.New("neither PEM nor base64")
		}
		return x509.ParsePKIXPublicKey(der)
	case len(rest) > 0:
		return nil, errors.New("text after the key")
	case block.Type == "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	case block.Type == "RSA PUBLIC KEY":
		return x509.ParsePKCS1PublicKey(block.Bytes)
	}
	return nil, errors.New("not a public key")
}

// canonicalKey is a public key as SPKI in PEM, so that one key has one spelling.
func canonicalKey(text string) (string, error) {
	if strings.Contains(text, "PRIVATE KEY") {
		return "", errors.New("it is a private key, which its owner gives to nobody; openssl pkey -in FILE -pubout prints the public key")
	}
	public, err := ParsePublicKey(text)
	if err != nil {
		return "", err
	}
	return encodePublicKey(public)
}

func encodePublicKey(public *rsa.PublicKey) (string, error) {
	spki, err := x509.MarshalPKIXPublicKey(public)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})), err
}

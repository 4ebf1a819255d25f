package catalog

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
)

func TestParsePublicKey(t *testing.T) {
	demo, err := NewDemo(time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	framed := demo.Merchant.Keys[0].PublicKey
	block, _ := pem.Decode([]byte(framed))
	spki := block.Bytes
	parsed, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		t.Fatal(err)
	}
	public := parsed.(*rsa.PublicKey)
	bare := base64.StdEncoding.EncodeToString(spki)
	for name, text := range map[string]string{
		"SPKI":             framed,
		"SPKI of Windows":  strings.ReplaceAll(framed, "\n", "\r\n"),
		"SPKI in space":    "\n " + framed + " \n",
		"PKCS #1":          framedAs("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(public)),
		"base64":           bare,
		"base64 in lines":  bare[:64] + "\n" + bare[64:] + "\n",
		"8192 bits, no 2p": framedAs("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(odd(8192))),
	} {
		if got, err := ParsePublicKey(text); err != nil || name[0] != '8' && !got.Equal(public) {
			t.Errorf("%s: %v", name, err)
		}
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := x509.MarshalPKIXPublicKey(&curve.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	three := *public
	three.E = 3
	for name, text := range map[string]string{
		"nothing":           "",
		"a word":            "key",
		"a private key":     demo.PrivateKeys[checkout.Test],
		"a certificate":     framedAs("CERTIFICATE", spki),
		"two keys":          framed + framed,
		"an elliptic curve": framedAs("PUBLIC KEY", point),
		"1024 bits":         framedAs("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(odd(1024))),
		"2047 bits":         framedAs("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(odd(2047))),
		"8193 bits":         framedAs("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(odd(8193))),
		"exponent 3":        framedAs("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&three)),
		"cut short":         bare[:len(bare)-8],
		"very long":         strings.Repeat("A", 1<<20),
	} {
		if got, err := ParsePublicKey(text); err == nil {
			t.Errorf("%s: %d bits, exponent %d", name, got.N.BitLen(), got.E)
		}
	}
}

func framedAs(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// odd is a modulus of so many bits; parsing does not factor.
func odd(bits uint) *rsa.PublicKey {
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	return &rsa.PublicKey{N: n.SetBit(n, 0, 1), E: 65537}
}

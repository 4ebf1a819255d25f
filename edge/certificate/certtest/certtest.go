// Package certtest makes certificates, in tests.
package certtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Pair is the PEM files of a certificate for localhost and 127.0.0.1 and of its key, and the authority that has issued it.
type Pair struct {
	Cert, Key string         // paths of the files
	Authority string         // path of the authority's certificate
	Pool      *x509.CertPool // has the authority

	authority *x509.Certificate
	signer    *ecdsa.PrivateKey
	serial    int64
}

// New makes an authority and a pair that is valid for a year.
func New(t testing.TB) *Pair {
	t.Helper()
	dir := t.TempDir()
	p := &Pair{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"), Authority: filepath.Join(dir, "authority.pem"), Pool: x509.NewCertPool(), signer: newKey(t)}
	p.authority = &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0), KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, p.authority, p.authority, p.signer.Public(), p.signer)
	if err != nil {
		t.Fatal(err)
	}
	if p.authority, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	Write(t, p.Authority, "CERTIFICATE", der)
	p.Pool.AddCert(p.authority)
	p.Renew(t, time.Now().AddDate(1, 0, 0))
	return p
}

// Renew writes a new certificate with a new key to the files, and returns it. Its life is the year before its end.
func (p *Pair) Renew(t testing.TB, end time.Time) *x509.Certificate {
	t.Helper()
	p.serial++
	key := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(p.serial + 1), DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: end.AddDate(-1, 0, 0), NotAfter: end}, p.authority, key.Public(), p.signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	Write(t, p.Cert, "CERTIFICATE", der)
	Write(t, p.Key, "PRIVATE KEY", secret)
	return leaf
}

// Write writes a PEM file with mode 0600.
func Write(t testing.TB, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

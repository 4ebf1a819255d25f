// Package smtptest is an SMTP server for tests.
package smtptest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"
)

// User and Password are the login of every server.
const (
	User     = "crepe"
	Password = "correct horse"
)

// Server is an SMTP server on localhost that takes mail only with TLS and after a login, and keeps it.
type Server struct {
	Port  int
	Roots *x509.CertPool // trust the server's certificate

	mutex  sync.Mutex
	got    []string
	refuse error
}

// Received returns the messages that have arrived, the oldest first.
func (p *Server) Received() []string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return append([]string(nil), p.got...)
}

// Refuse makes the server refuse every recipient with an error; nil accepts all.
func (p *Server) Refuse(err error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.refuse = err
}

// Open starts a server with STARTTLS, or with TLS from the start.
func Open(t testing.TB, implicit bool) *Server {
	t.Helper()
	p := &Server{}
	certificate, roots := certificateOf(t)
	p.Roots = roots
	s := gosmtp.NewServer(p)
	s.Domain, s.TLSConfig = "localhost", &tls.Config{Certificates: []tls.Certificate{certificate}}
	s.ErrorLog = discard{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.Port = listener.Addr().(*net.TCPAddr).Port
	if implicit {
		listener = tls.NewListener(listener, s.TLSConfig)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(listener) }()
	t.Cleanup(func() {
		s.Close()
		<-done
	})
	return p
}

type discard struct{}

func (discard) Printf(string, ...any) {}
func (discard) Println(...any)        {}

func certificateOf(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

func (p *Server) NewSession(c *gosmtp.Conn) (gosmtp.Session, error) {
	return &visit{Server: p, conn: c}, nil
}

// visit is one connection. It takes mail only with TLS and after a login.
type visit struct {
	*Server
	conn   *gosmtp.Conn
	logged bool
}

func (v *visit) AuthMechanisms() []string { return []string{sasl.Plain} }

func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, name, secret string) error {
		if name != User || secret != Password {
			return gosmtp.ErrAuthFailed
		}
		v.logged = true
		return nil
	}), nil
}

func (v *visit) Mail(string, *gosmtp.MailOptions) error {
	if _, secure := v.conn.TLSConnectionState(); !secure || !v.logged {
		return gosmtp.ErrAuthRequired
	}
	return nil
}

func (v *visit) Rcpt(string, *gosmtp.RcptOptions) error {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	return v.refuse
}

func (v *visit) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	v.mutex.Lock()
	defer v.mutex.Unlock()
	v.got = append(v.got, string(text))
	return err
}

func (v *visit) Reset()        {}
func (v *visit) Logout() error { return nil }

// Package certificate serves TLS with a certificate and a key from two files, and takes up new ones without a restart.
//
// [Open] reads the pair. [Files.Listen] wraps a listener, and [Files.Watch] reads the files every few seconds. A changed pair is used
// for all later handshakes once both files have not changed for one interval, so that a pair that is being written is not read by
// halves. A pair that cannot be used is logged, and the one before stays in use.
package certificate

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

// Interval is the time between two looks at the files.
const Interval = 5 * time.Second

// Files is a pair of PEM files and the certificate that was last read from them. It is safe for concurrent use.
type Files struct {
	certificate, key string
	now              func() time.Time
	current          atomic.Pointer[tls.Certificate]

	loaded, seen pair      // the text of current, and what the last look has found; used by Watch only
	warned       time.Time // when Watch has last warned of the certificate's end
}

// pair is the content of the two files.
type pair struct{ certificate, key []byte }

func (p *pair) equal(q *pair) bool {
	return bytes.Equal(p.certificate, q.certificate) && bytes.Equal(p.key, q.key)
}

// Open reads a certificate, followed by its chain, and its key. It refuses a key that users outside its group can read. An expired
// certificate is served, because a proxy may accept it and a server that is down serves nobody; Watch logs it as an error.
func Open(certificate, key string) (*Files, error) {
	f := &Files{certificate: certificate, key: key, now: time.Now}
	text, err := f.read()
	if err != nil {
		return nil, err
	}
	parsed, err := f.parse(&text)
	if err != nil {
		return nil, err
	}
	f.current.Store(parsed)
	f.loaded, f.seen = text, text
	return f, nil
}

// NotAfter returns the end of the certificate that is in use.
func (f *Files) NotAfter() time.Time { return f.current.Load().Leaf.NotAfter }

// Leaf returns the certificate that is in use. The caller must not modify it.
func (f *Files) Leaf() *x509.Certificate { return f.current.Load().Leaf }

// Watch looks at the files until ctx ends. It logs the end of the certificate in use at once, and daily a warning in the last tenth of its
// life and an error afterwards.
func (f *Files) Watch(ctx context.Context, log *slog.Logger) {
	log.Info("TLS certificate in use", "file", f.certificate, "until", f.NotAfter())
	ticker := time.NewTicker(Interval)
	defer ticker.Stop()
	for {
		f.warn(log)
		select {
		case <-ticker.C:
			f.look(log)
		case <-ctx.Done():
			return
		}
	}
}

// look takes up a pair that has changed and is complete.
func (f *Files) look(log *slog.Logger) {
	text, err := f.read()
	if err != nil {
		text = pair{key: []byte(err.Error())} // equal as long as the reason is
	}
	settled := text.equal(&f.seen)
	f.seen = text
	if !settled || text.equal(&f.loaded) {
		return
	}
	f.loaded = text
	if err == nil {
		err = f.replace(&text)
	}
	if err != nil {
		log.Error("the new TLS certificate cannot be used, the one before stays in use", "error", err, "until", f.NotAfter())
		return
	}
	f.warned = time.Time{}
	log.Info("new TLS certificate in use", "file", f.certificate, "until", f.NotAfter())
}

// replace refuses an expired certificate, which would replace one that may be valid.
func (f *Files) replace(text *pair) error {
	parsed, err := f.parse(text)
	if err == nil && f.now().After(parsed.Leaf.NotAfter) {
		err = fmt.Errorf("the certificate in %s has expired on %s", f.certificate, parsed.Leaf.NotAfter.Format(time.DateOnly))
	}
	if err == nil {
		f.current.Store(parsed)
	}
	return err
}

// warn logs once a day that the certificate ends soon or has ended.
func (f *Files) warn(log *slog.Logger) {
	leaf, now := f.Leaf(), f.now()
	soon := leaf.NotAfter.Add(-leaf.NotAfter.Sub(leaf.NotBefore) / 10)
	if now.Before(soon) || now.Sub(f.warned) < 24*time.Hour {
		return
	}
	f.warned = now
	if now.After(leaf.NotAfter) {
		log.Error("the TLS certificate has expired: browsers refuse it; renew it, and replace both files", "file", f.certificate, "until", leaf.NotAfter)
		return
	}
	log.Warn("the TLS certificate ends soon: renew it, and replace both files", "file", f.certificate, "until", leaf.NotAfter)
}

func (f *Files) read() (text pair, err error) {
	if err := checkPrivate(f.key); err != nil {
		return pair{}, err
	}
	var errKey error
	text.certificate, err = os.ReadFile(f.certificate)
	text.key, errKey = os.ReadFile(f.key)
	return text, errors.Join(err, errKey)
}

// checkPrivate refuses a key that everybody on this machine can read. Its group may, as Debian's ssl-cert does.
func checkPrivate(key string) error {
	info, err := os.Stat(key)
	if err != nil || runtime.GOOS == "windows" { // which has no file modes
		return err
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 {
		return fmt.Errorf("every user of this machine can use %s (its mode is %04o); to make it private: chmod o= %[1]s", key, mode)
	}
	return nil
}

// parse returns the certificate of a pair. Its Leaf is set.
func (f *Files) parse(text *pair) (*tls.Certificate, error) {
	if bytes.Contains(text.key, []byte("ENCRYPTED")) {
		return nil, fmt.Errorf("%s is encrypted with a passphrase; openssl pkey -in %[1]s -out KEY writes the key without one", f.key)
	}
	parsed, err := tls.X509KeyPair(text.certificate, text.key)
	if err != nil {
		return nil, fmt.Errorf("the certificate in %s and the key in %s are not a pair: %w", f.certificate, f.key, err)
	}
	return &parsed, nil
}

// config accepts TLS 1.2 and 1.3 with the cipher suites that Go considers secure, and HTTP/1.1 only.
func (f *Files) config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.current.Load(), nil },
	}
}

// Dial connects to a server of this process that uses f. It expects its certificate, whatever names that has.
func (f *Files) Dial(address string) (net.Conn, error) {
	return tls.Dial("tcp", address, &tls.Config{
		MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, // instead, it must be the very certificate
		VerifyConnection: func(s tls.ConnectionState) error {
			if !s.PeerCertificates[0].Equal(f.Leaf()) {
				return errors.New("another certificate than this server's")
			}
			return nil
		},
	})
}

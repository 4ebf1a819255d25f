package smtp

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/smtp/smtptest"
)

func mailer(t *testing.T, p *smtptest.Server, format string, args ...any) *Mailer {
	t.Helper()
	c, err := Parse(fmt.Sprintf(format, args...))
	if err != nil {
		t.Fatal(err)
	}
	c.Roots, c.Now = p.Roots, time.Now
	return New(*c)
}

func message() *invoices.Message {
	return &invoices.Message{ID: "abc", FromName: "Crêpe, \"Demo\"\r\nBcc: eve@example.com", ReplyTo: "help@example.com", To: "ada@example.com",
		Subject: "Beleg 2026-000001 · Crêpe\r\nBcc: eve@example.com", Text: "Grüße\n.\nEnde", Language: "de"}
}

// TestSend: STARTTLS and implicit TLS with a login, and a message whose fields cannot add headers.
func TestSend(t *testing.T) {
	for scheme, implicit := range map[string]bool{"smtp": false, "smtps": true} {
		t.Run(scheme, func(t *testing.T) {
			p := smtptest.Open(t, implicit)
			m := mailer(t, p, "%s://%s:correct%%20horse@localhost:%d?from=receipts@example.com", scheme, smtptest.User, p.Port)
			if err := m.Send(t.Context(), message()); err != nil {
				t.Fatal(err)
			}
			got := p.Received()
			if len(got) != 1 {
				t.Fatalf("%d messages arrived", len(got))
			}
			letter, err := mail.ReadMessage(strings.NewReader(got[0]))
			if err != nil {
				t.Fatal(err, got[0])
			}
			from, err := letter.Header.AddressList("From")
			if err != nil || from[0].Address != "receipts@example.com" || from[0].Name != `Crêpe, "Demo"  Bcc: eve@example.com` {
				t.Errorf("from %+v, %v", from, err)
			}
			for name, want := range map[string]string{"Message-Id": "<abc@example.com>", "Bcc": "", "Reply-To": "<help@example.com>",
				"To": "<ada@example.com>", "Content-Language": "de", "Auto-Submitted": "auto-generated"} {
				if got := letter.Header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			t.Log(got[0])
		})
	}
}

// TestSendFails: what the operator must repair is tried again; a recipient who is refused is not. No error names an address or a
// password.
func TestSendFails(t *testing.T) {
	p := smtptest.Open(t, false)
	good := fmt.Sprintf("smtp://%s:correct%%20horse@localhost:%d?from=receipts@example.com", smtptest.User, p.Port)
	unknown := &gosmtp.SMTPError{Code: 550, EnhancedCode: gosmtp.EnhancedCode{5, 1, 1}, Message: "no such user ada@example.com"}
	busy := &gosmtp.SMTPError{Code: 451, EnhancedCode: gosmtp.EnhancedCode{4, 3, 0}, Message: "try later"}
	untrusted := mailer(t, p, "%s", good)
	untrusted.config.Roots = x509.NewCertPool()
	hopeless := message()
	hopeless.To = "not an address"
	for name, c := range map[string]struct {
		mailer  *Mailer
		message *invoices.Message
		refuse  error
		forGood bool
	}{
		"a wrong password":           {mailer(t, p, "smtp://%s:wr0ng-secret@localhost:%d?from=receipts@example.com", smtptest.User, p.Port), message(), nil, false},
		"no login":                   {mailer(t, p, "smtp://localhost:%d?from=receipts@example.com", p.Port), message(), nil, false},
		"no TLS":                     {mailer(t, p, "smtp://localhost:%d?from=receipts@example.com&tls=off", p.Port), message(), nil, false},
		"an untrusted certificate":   {untrusted, message(), nil, false},
		"nobody listens":             {mailer(t, p, "smtp://localhost:1?from=receipts@example.com"), message(), nil, false},
		"an unknown recipient":       {mailer(t, p, "%s", good), message(), unknown, true},
		"a busy server":              {mailer(t, p, "%s", good), message(), busy, false},
		"an address that is no such": {mailer(t, p, "%s", good), hopeless, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			p.Refuse(c.refuse)
			err := c.mailer.Send(t.Context(), c.message)
			if err == nil || errors.Is(err, invoices.ErrRefused) != c.forGood {
				t.Fatalf("error %v, for good: %t", err, c.forGood)
			}
			for _, secret := range []string{"ada@", "wr0ng", "horse"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error has %q: %v", secret, err)
				}
			}
		})
	}
	if got := p.Received(); len(got) > 0 {
		t.Errorf("%d messages arrived", len(got))
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := mailer(t, p, "%s", good).Send(ended, message()); err == nil {
		t.Error("sent after the end of its context")
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", "mail.example.com", "http://mail.example.com?from=a@b.example", "smtp://?from=a@b.example", "smtp://h", "smtp://h?from=",
		"smtp://h?from=nobody", "smtp://h?from=A<a@b.example>", "smtp://h:0?from=a@b.example", "smtp://h:99999?from=a@b.example", "smtp://h:x?from=a@b.example",
		"smtp://user@h?from=a@b.example", "smtp://h/path?from=a@b.example", "smtp://h?from=a@b.example&from=c@d.example", "smtp://h?from=a@b.example&tls=off",
		"smtps://localhost?from=a@b.example&tls=off", "smtp://localhost?from=a@b.example&tls=on", "smtp://h?from=a@b.example&x=1", "smtp://h?from=%zz",
		"smtp://h?from=a@b.example#f", "smtp://h?from=a@b.example&x=" + strings.Repeat("x", maxURL), "smtp://u:s3cret\x7f@h"} {
		if c, err := Parse(text); err == nil {
			t.Errorf("%q: %+v", text, c)
		} else if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error has the password: %v", err)
		}
	}
	c, err := Parse("smtp://u:p%40ss@mail.example.com?from=receipts@example.com")
	if err != nil || c.Port != 587 || c.Password != "p@ss" || c.Implicit || c.Plain {
		t.Errorf("%+v, %v", c, err)
	}
}

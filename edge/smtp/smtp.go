// Package smtp sends e-mails over an operator's SMTP server. [Mailer] implements invoices.Mailer; [Parse] reads its configuration
// from a URL.
//
// TLS is required, by STARTTLS (smtp) or from the start (smtps). A URL may switch it off for a server on this machine only.
package smtp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/crepe-checkout/crepe/edge/invoices"
)

// Config describes the server and the sender.
type Config struct {
	Host, User, Password string
	Port                 int
	Implicit             bool   // TLS from the start
	Plain                bool   // no TLS
	From                 string // address of the sender

	Roots *x509.CertPool // trusted certificates; nil for the system's
	Now   func() time.Time
}

const (
	startTLSPort = 587
	implicitPort = 465
)

// maxURL is the longest configuration accepted, in bytes.
const maxURL = 2048

// Parse reads "smtp://user:password@host:587?from=receipts@example.com". smtps is TLS from the start; "tls=off" is for a server on
// this machine. No error contains the URL, because of its password.
func Parse(text string) (*Config, error) {
	if len(text) > maxURL {
		return nil, errors.New("the URL is too long")
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.Fragment != "" {
		return nil, errors.New("expected something like smtp://user:password@mail.example.com:587?from=receipts@example.com")
	}
	c := &Config{Host: u.Hostname(), Port: startTLSPort, User: u.User.Username()}
	c.Password, _ = u.User.Password()
	switch u.Scheme {
	case "smtp":
	case "smtps":
		c.Implicit, c.Port = true, implicitPort
	default:
		return nil, errors.New("the scheme of the URL must be smtp (STARTTLS) or smtps")
	}
	if u.Port() != "" {
		if c.Port, err = strconv.Atoi(u.Port()); err != nil || c.Port < 1 || c.Port > 65535 {
			return nil, errors.New("the port of the URL must be a number up to 65535")
		}
	}
	if c.User != "" && c.Password == "" {
		return nil, errors.New("the URL has a user and no password")
	}
	return c, c.parseQuery(u)
}

func (c *Config) parseQuery(u *url.URL) error {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("the query of the URL is malformed")
	}
	for name, values := range query {
		switch {
		case len(values) != 1:
			return fmt.Errorf("the URL has %q more than once", name)
		case name == "from":
			sender, err := mail.ParseAddress(values[0])
			if err != nil || sender.Name != "" {
				return errors.New("from in the URL must be an e-mail address")
			}
			c.From = sender.Address
		case name == "tls" && values[0] == "off" && !c.Implicit && loopback(c.Host):
			c.Plain = true
		case name == "tls":
			return errors.New("tls in the URL can only be off, with smtp and a server on this machine")
		default:
			return fmt.Errorf("the URL has the unknown setting %q; expected from or tls", name)
		}
	}
	if c.From == "" {
		return errors.New("the URL has no sender; add ?from=receipts@example.com")
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Mailer sends e-mails, each over a connection of its own. It is safe for concurrent use.
type Mailer struct{ config Config }

// New returns a mailer.
func New(c Config) *Mailer { return &Mailer{c} }

// Send implements [invoices.Mailer]. Its errors contain neither an address nor a password.
func (m *Mailer) Send(ctx context.Context, message *invoices.Message) error {
	letter, err := m.letter(message)
	if err != nil {
		return err
	}
	client, err := gomail.NewClient(m.config.Host, m.options()...)
	if err != nil {
		return fmt.Errorf("the mail server's settings: %w", err)
	}
	return classify(client.DialAndSendWithContext(ctx, letter))
}

func (m *Mailer) options() []gomail.Option {
	c := &m.config
	options := []gomail.Option{gomail.WithPort(c.Port), gomail.WithTimeout(invoices.MailTimeout), gomail.WithoutNoop(),
		gomail.WithTLSConfig(&tls.Config{ServerName: c.Host, RootCAs: c.Roots, MinVersion: tls.VersionTLS12}), gomail.WithTLSPolicy(gomail.TLSMandatory)}
	switch {
	case c.Implicit:
		options = append(options, gomail.WithSSL())
	case c.Plain:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if c.User != "" {
		auth := gomail.SMTPAuthAutoDiscover
		if c.Plain {
			auth = gomail.SMTPAuthPlainNoEnc
		}
		options = append(options, gomail.WithSMTPAuth(auth), gomail.WithUsername(c.User), gomail.WithPassword(c.Password))
	}
	return options
}

// letter makes the message as it is sent. A buyer's address that no header can carry is refused for good.
func (m *Mailer) letter(message *invoices.Message) (*gomail.Msg, error) {
	letter := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	letter.FromMailAddress(&mail.Address{Name: oneLine(message.FromName), Address: m.config.From})
	to, err := mail.ParseAddress(message.To)
	if err != nil {
		return nil, fmt.Errorf("%w: the address cannot be written in a header", invoices.ErrRefused)
	}
	letter.ToMailAddress(to)
	if reply, err := mail.ParseAddress(message.ReplyTo); err == nil {
		letter.ReplyToMailAddress(reply)
	}
	_, domain, _ := strings.Cut(m.config.From, "@")
	letter.SetMessageIDWithValue(message.ID + "@" + domain)
	letter.SetDateWithValue(m.config.Now())
	letter.SetGenHeader(gomail.Header("Content-Language"), message.Language)
	letter.SetGenHeader(gomail.Header("Auto-Submitted"), "auto-generated")
	letter.Subject(oneLine(message.Subject))
	letter.SetBodyString(gomail.TypeTextPlain, message.Text)
	return letter, nil
}

// oneLine replaces control characters, which could end a header.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// classify tells a refusal of this message from a failure that may pass. A refused sender or credential is the operator's to
// repair, so it is tried again.
func classify(err error) error {
	sent, ok := errors.AsType[*gomail.SendError](err)
	switch {
	case err == nil:
		return nil
	case !ok:
		return fmt.Errorf("the mail server cannot be used: %w", err)
	case !sent.IsTemp() && (sent.Reason == gomail.ErrSMTPRcptTo || sent.Reason == gomail.ErrSMTPDataClose):
		return fmt.Errorf("%w: %s, code %d", invoices.ErrRefused, sent.Reason, sent.ErrorCode())
	}
	return fmt.Errorf("the mail server has failed: %s, code %d", sent.Reason, sent.ErrorCode())
}

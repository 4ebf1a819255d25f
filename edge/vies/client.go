package vies

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// DefaultURL is the base URL of VIES's REST interface
// (https://ec.europa.eu/taxation_customs/vies/#/technical-information).
const DefaultURL = "https://ec.europa.eu/taxation_customs/vies/rest-api"

const (
	timeout   = 30 * time.Second
	maxAnswer = 64 << 10 // bytes
	userAgent = "crepe-vies/1"
)

// ValidURL reports whether a text can be the base URL of VIES. An http URL is for tests.
func ValidURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

// newClient returns a client that follows no redirect.
func newClient(timeout time.Duration) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: timeout, MaxResponseHeaderBytes: maxAnswer, MaxIdleConns: 1, IdleConnTimeout: timeout,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       timeout,
	}
}

// question is the body of a request to check-vat-number.
type question struct {
	CountryCode     string `json:"countryCode"`
	VATNumber       string `json:"vatNumber"`
	RequesterState  string `json:"requesterMemberStateCode,omitempty"`
	RequesterNumber string `json:"requesterNumber,omitempty"`
}

// reply is the body of a response: an answer, or errors, with the status 200 as well as with others.
type reply struct {
	CountryCode       string `json:"countryCode"`
	VATNumber         string `json:"vatNumber"`
	RequestDate       string `json:"requestDate"`
	Valid             *bool  `json:"valid"`
	RequestIdentifier string `json:"requestIdentifier"`
	Name              string `json:"name"`
	Address           string `json:"address"`
	UserError         string `json:"userError"`
	ErrorWrappers     []struct {
		Error string `json:"error"`
	} `json:"errorWrappers"`
}

// answer is what VIES says of a number.
type answer struct {
	valid                       bool
	at                          int64 // Unix milliseconds; 0 if VIES gave no date that can be read
	consultation, name, address string
}

// fault is a try without an answer.
type fault struct {
	kind faultKind
	code string // VIES's code, or a text of ours
}

type faultKind uint8

const (
	// memberStateDown: the number's member state gives no answer at the moment.
	memberStateDown faultKind = iota
	// viesDown: nothing is answered at the moment.
	viesDown
	// requesterRefused: VIES does not take the seller's number.
	requesterRefused
	// numberRefused: VIES does not take the buyer's number as a question.
	numberRefused
)

// faultKinds are VIES's error codes.
var faultKinds = map[string]faultKind{
	"INVALID_INPUT":                  numberRefused,
	"INVALID_REQUESTER_INFO":         requesterRefused,
	"VAT_BLOCKED":                    requesterRefused,
	"MS_UNAVAILABLE":                 memberStateDown,
	"TIMEOUT":                        memberStateDown,
	"MS_MAX_CONCURRENT_REQ":          memberStateDown,
	"MS_MAX_CONCURRENT_REQ_TIME":     memberStateDown,
	"SERVICE_UNAVAILABLE":            viesDown,
	"SERVER_BUSY":                    viesDown,
	"IP_BLOCKED":                     viesDown,
	"GLOBAL_MAX_CONCURRENT_REQ":      viesDown,
	"GLOBAL_MAX_CONCURRENT_REQ_TIME": viesDown,
}

// faultOf returns the fault that a reply reports; nil if it reports none. The text of an unknown code is not kept: it can be anything.
func (r *reply) faultOf() *fault {
	code := r.UserError
	if len(r.ErrorWrappers) > 0 {
		code = r.ErrorWrappers[0].Error
	} else if code == "" || code == "VALID" || code == "INVALID" {
		return nil
	}
	if kind, known := faultKinds[code]; known {
		return &fault{kind, code}
	}
	return &fault{viesDown, "an unknown error"}
}

// ask asks VIES about a check. One of answer and fault is nil.
func (s *Service) ask(ctx context.Context, c *Check) (*answer, *fault) {
	q := question{CountryCode: c.Number[:2], VATNumber: c.Number[2:]}
	if c.Requester != "" {
		q.RequesterState, q.RequesterNumber = c.Requester[:2], c.Requester[2:]
	}
	status, text, err := s.exchange(ctx, &q)
	if err != nil {
		return nil, &fault{viesDown, s.reason(err)}
	}
	return read(&q, status, text)
}

func (s *Service) exchange(ctx context.Context, q *question) (status int, text []byte, err error) {
	body, err := json.Marshal(q)
	if err != nil {
		return 0, nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(s.config.URL, "/")+"/check-vat-number", bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", userAgent)
	response, err := s.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	text, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err == nil && len(text) > maxAnswer {
		err = errTooLong
	}
	return response.StatusCode, text, err
}

var errTooLong = errors.New("the answer is too long")

// reason says why no answer came. It does not repeat an error's text, which may contain what VIES sent.
func (s *Service) reason(err error) string {
	if timedOut := interface{ Timeout() bool }(nil); errors.As(err, &timedOut) && timedOut.Timeout() {
		return "no answer within " + s.config.Timeout.String()
	}
	if errors.Is(err, errTooLong) {
		return errTooLong.Error()
	}
	return "VIES cannot be reached"
}

// read reads a response. An answer must be about the number that was asked for: a cache or proxy may have confused two.
func read(q *question, status int, text []byte) (*answer, *fault) {
	var r reply
	unreadable := json.Unmarshal(text, &r) != nil
	reported := r.faultOf()
	switch {
	case !unreadable && reported != nil:
		return nil, reported
	case status != http.StatusOK:
		return nil, &fault{viesDown, fmt.Sprintf("status %d", status)}
	case unreadable || r.Valid == nil:
		return nil, &fault{viesDown, "the answer cannot be read"}
	case r.CountryCode != q.CountryCode || r.VATNumber != q.VATNumber:
		return nil, &fault{viesDown, "the answer is about another number"}
	}
	return &answer{valid: *r.Valid, at: instant(r.RequestDate), consultation: bounded(r.RequestIdentifier, 100),
		name: bounded(r.Name, 300), address: bounded(r.Address, 500)}, nil
}

// instant reads VIES's date, "2026-11-23T10:15:30.123Z" or "2026-11-23+01:00", in Unix milliseconds; 0 for any other text.
func instant(text string) int64 {
	for _, layout := range []string{time.RFC3339, "2006-01-02Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil && t.UnixMilli() > 0 {
			return t.UnixMilli()
		}
	}
	return 0
}

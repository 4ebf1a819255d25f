package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	signatureHeader = "X-Waffo-Signature"
	userAgent       = "crepe-webhook/1"

	maxAnswerHeader = 16 << 10 // bytes
)

// newClient returns a client that reaches r only: it checks each address that it connects to, follows no redirect, and uses no
// proxy, which would connect in its stead.
func newClient(r Reach) *http.Client {
	dialer := &net.Dialer{Timeout: Timeout, Control: r.control}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: Timeout, MaxResponseHeaderBytes: maxAnswerHeader, DisableCompression: true,
			MaxIdleConnsPerHost: 2, MaxIdleConns: 256, IdleConnTimeout: 30 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// post sends a delivery once.
func (s *Service) post(address string, d *Delivery) (t Try) {
	began := s.Now()
	ctx, cancel := context.WithTimeout(context.Background(), Timeout)
	defer cancel()
	status, answer, err := s.exchange(ctx, address, d)
	t = Try{At: began.UnixMilli(), Took: max(0, s.Now().Sub(began).Milliseconds()), Status: status, Answer: answer}
	if err != nil {
		t.Error = reason(err)
	}
	return t
}

// exchange returns the status and the beginning of the body. The status decides, however the body ends.
func (s *Service) exchange(ctx context.Context, address string, d *Delivery) (int, string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(d.Body))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", userAgent)
	request.Header.Set(signatureHeader, d.Signature)
	response, err := s.client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return response.StatusCode, strings.ToValidUTF8(string(answer), "\uFFFD"), nil
}

// reason says why no answer came, without the URL, which may hold a secret of the merchant's.
func reason(err error) string {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	switch {
	case errors.Is(err, errUnreachable):
		return errUnreachable.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer within 10 s"
	}
	if network, ok := errors.AsType[*net.OpError](err); ok && network.Op == "dial" {
		err = network.Err
	}
	text := err.Error()
	return strings.ToValidUTF8(text[:min(len(text), maxAnswer)], "")
}

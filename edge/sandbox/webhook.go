package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"
)

// delivery is the state of an event's delivery.
type delivery struct {
	Event event  `json:"event"`
	Order string `json:"order,omitempty"` // of the event's session
	Tries int    `json:"tries"`
	Then  string `json:"then"` // the event to deliver after it
}

// An event is sent until it is accepted, with exponential backoff, for about an hour.
const (
	minBackoff  = time.Second
	maxBackoff  = 5 * time.Minute
	maxTries    = 20
	sendTimeout = 5 * time.Second
)

func newWebhookClient(dial fasthttp.DialFunc) *fasthttp.Client {
	return &fasthttp.Client{Name: "crepe-sandbox", Dial: dial, MaxResponseBodySize: 64 << 10, ReadBufferSize: 16 << 10}
}

// send tries to deliver an event once and persists the result, with the task of the next try.
func (s *Sandbox) send(key, id string) error {
	d, err := load[delivery](s.config.Store, "ev/"+id)
	if err != nil {
		return err
	}
	var c change
	c.delete(key)
	if d == nil {
		return s.apply(c)
	}
	outcome, accepted := s.post(encode(&d.Event))
	d.Tries++
	switch {
	case accepted:
		d.Event.PendingWebhooks = 0
	case d.Tries < maxTries:
		next := s.config.Now().Add(backoff(d.Tries))
		c.link(dueKey(next.UnixMilli(), "send", id), id)
		outcome += " · again at " + next.UTC().Format(time.TimeOnly)
	default:
		outcome += " · given up"
		s.config.Log.Warn("the sandbox gave up delivering an event", "event", id, "type", d.Event.Type, "tries", d.Tries)
	}
	if then := d.Then; then != "" && (accepted || d.Tries == maxTries) {
		c.link(dueKey(s.config.Now().UnixMilli(), "send", then), then)
		d.Then = ""
	}
	c.put("ev/"+id, d)
	s.journal.add(s.config.Now(), "Webhook", d.Event.Type+" "+id, outcome+ofOrder(d.Order))
	return s.apply(c)
}

// backoff is the time until the next try. It doubles with every try.
func backoff(tries int) time.Duration {
	return min(minBackoff<<min(tries-1, 30), maxBackoff)
}

// post sends a signed body once. A 2xx accepts it. Redirects are not followed.
func (s *Sandbox) post(body []byte) (outcome string, accepted bool) {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.Header.SetMethod(fasthttp.MethodPost)
	request.SetRequestURI(s.config.WebhookURL)
	request.Header.SetContentType("application/json; charset=utf-8")
	request.Header.Set("Stripe-Signature", s.Sign(body, s.config.Now()))
	request.SetBodyRaw(body)
	if err := s.client.DoTimeout(request, response, sendTimeout); err != nil {
		return err.Error(), false
	}
	status := response.StatusCode()
	return strconv.Itoa(status), status/100 == 2
}

// Sign returns the header Stripe-Signature of a body sent at a time, so that tests can sign events of their own.
func (s *Sandbox) Sign(body []byte, at time.Time) string {
	return sign(s.config.WebhookSecret, at, body)
}

// sign returns the header Stripe-Signature (https://docs.stripe.com/webhooks#verify-manually).
func sign(secret string, at time.Time, body []byte) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	return "t=" + stamp + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// expireDue expires a session whose time is over, if it is still open.
func (s *Sandbox) expireDue(key, id string) error {
	return s.dropTask(key, s.update(id, func(t *sessionTx) {
		if t.Session.Status == open {
			t.expire()
		}
		t.change.delete(key)
	}))
}

// settleDue settles a delayed payment, unless a trigger has settled it.
func (s *Sandbox) settleDue(key, id string) error {
	return s.dropTask(key, s.update(id, func(t *sessionTx) {
		if t.settling() {
			t.settle(t.Bounces)
		}
		t.change.delete(key)
	}))
}

// dropTask deletes the task of a missing session.
func (s *Sandbox) dropTask(key string, err error) error {
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	return s.apply(change{{Key: key}})
}

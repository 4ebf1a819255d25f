package main

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
)

// Limits of the doctor's checks.
const (
	smallSkew = 5 * time.Second  // of the clock; a Date has whole seconds
	largeSkew = 60 * time.Second // a signature may be five minutes old
	soonEnds  = 21 * 24 * time.Hour
	nearlyEnd = 3 * 24 * time.Hour
	beingSent = 2 * time.Second // an event that is younger may still be on its way
)

// stripeURL is where the API of an environment's account is.
func (d *doctor) stripeURL(env checkout.Environment) string {
	if env == checkout.Test && d.StripeTestURL != "" {
		return d.StripeTestURL
	}
	return stripe.DefaultURL
}

// examineProviders asks the payment provider with each key.
func (d *doctor) examineProviders(context.Context) {
	if len(d.Stripe) == 0 && !d.sandbox {
		d.warn("provider", "set CREPE_STRIPE_KEY and CREPE_STRIPE_WEBHOOK_SECRET, or --sandbox to try it", "there is no payment provider, so no order can be created")
	}
	if d.sandbox && d.Stripe[checkout.Test].Key == "" {
		d.ok("provider", "test: the sandbox of the server, which moves no money")
	}
	for _, name := range d.accounts() {
		env := checkout.Environment(name)
		account := d.Stripe[env]
		g := stripe.New(stripe.Config{Key: account.Key, WebhookSecret: account.WebhookSecret, BaseURL: d.stripeURL(env)})
		if d.examineKey(env, g) {
			d.examineEndpoint(env, g)
			d.examineEvents(env, g)
		}
	}
}

// examineKey lists what a server lists. It reports whether the key is valid.
func (d *doctor) examineKey(env checkout.Environment, g *stripe.Provider) bool {
	span := psp.Span{Since: time.Now().Add(-time.Hour)}
	_, sessions := g.ListCheckouts(time.Now().Add(doctorTimeout), span, "")
	_, refunds := g.ListRefunds(time.Now().Add(doctorTimeout), "", span, "")
	for what, err := range map[string]*psp.CallError{"Checkout Sessions": sessions, "refunds": refunds} {
		if err != nil && !(what == "refunds" && sessions != nil) {
			d.failedCall(env, what, err)
		}
	}
	if sessions != nil {
		return false
	}
	if refunds == nil {
		d.ok("provider", "%s: %s accepts the key, which serves %[1]s", env, d.stripeURL(env))
	}
	return true
}

// failedCall reports a failed call.
func (d *doctor) failedCall(env checkout.Environment, what string, err *psp.CallError) {
	switch {
	case err.Status == http.StatusUnauthorized:
		d.fail("provider", "take a key from Stripe's dashboard, Developers, API keys", "%s: Stripe refuses the key", env)
	case err.Status == http.StatusForbidden:
		d.fail("provider", "give the key the permissions that the manual lists", "%s: the restricted key may not list %s", env, what)
	default:
		d.fail("provider", "check the network, the name servers and the firewall", "%s: %s does not list %s: %v", env, d.stripeURL(env), what, err)
	}
}

// examineEndpoint looks for the server's webhook endpoint among those of the account.
func (d *doctor) examineEndpoint(env checkout.Environment, g *stripe.Provider) {
	url := d.url() + stripeWebhooks + string(env)
	add := "add it in Stripe's dashboard with the events that the manual lists, and set its signing secret"
	endpoints, callErr := allEndpoints(g)
	if callErr != nil && callErr.Status == http.StatusForbidden {
		d.warn("webhooks", "check in Stripe's dashboard that it is there with the events that the manual lists", "%s: the key may not list webhook endpoints, so %s was not found", env, url)
		return
	}
	if callErr != nil {
		d.failedCall(env, "webhook endpoints", callErr)
		return
	}
	for _, e := range endpoints {
		switch {
		case e.URL != url:
			continue
		case !e.Enabled:
			d.fail("webhooks", "enable it in Stripe's dashboard", "%s: the endpoint %s is disabled", env, url)
		case len(e.Missing) > 0:
			d.fail("webhooks", "add them in Stripe's dashboard", "%s: the endpoint %s is not sent %s", env, url, strings.Join(e.Missing, ", "))
		default:
			d.ok("webhooks", "%s: Stripe has the endpoint %s with all events", env, url)
		}
		return
	}
	d.fail("webhooks", add, "%s: Stripe has no endpoint %s", env, url)
}

// allEndpoints reads every page of the webhook endpoints, of which Stripe allows a few dozen.
func allEndpoints(g *stripe.Provider) (all []stripe.Endpoint, err *psp.CallError) {
	for after := ""; ; {
		page, err := g.ListEndpoints(time.Now().Add(doctorTimeout), after)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if after = page.Next; after == "" {
			return all, nil
		}
	}
}

// examineEvents looks for events that no endpoint has accepted. A wrong signing secret shows in no other way: Stripe does not tell it.
func (d *doctor) examineEvents(env checkout.Environment, g *stripe.Provider) {
	page, err := g.UndeliveredEvents(time.Now().Add(doctorTimeout), "")
	if err != nil {
		d.failedCall(env, "events", err)
		return
	}
	waiting := 0
	for _, e := range page.Items {
		if time.Since(e.Created) > beingSent {
			waiting++
		}
	}
	if waiting > 0 {
		d.warn("webhooks", "check that CREPE_STRIPE_…WEBHOOK_SECRET is the signing secret of this endpoint, and what Stripe's dashboard says of its tries",
			"%s: %d or more events of the last 30 days have been accepted by no endpoint", env, waiting)
		return
	}
	d.ok("webhooks", "%s: no event waits to be accepted", env)
}

// examineClock compares the clock with the provider's.
func (d *doctor) examineClock(ctx context.Context) {
	accounts := d.accounts()
	if len(accounts) == 0 {
		return
	}
	began := time.Now()
	response, err := get(ctx, d.stripeURL(checkout.Environment(accounts[0])))
	if err != nil {
		return // which the check of the provider has reported
	}
	response.Body.Close()
	date, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		d.warn("clock", "check that a time service keeps the clock", "the provider's answer has no date to compare it with")
		return
	}
	d.judgeClock(began.Add(time.Since(began) / 2).Sub(date.Add(500 * time.Millisecond)))
}

// judgeClock judges by how much the clock is ahead.
func (d *doctor) judgeClock(ahead time.Duration) {
	const do = "synchronise it, with chrony or systemd-timesyncd"
	switch skew := ahead.Abs().Round(time.Second); {
	case skew >= largeSkew:
		d.fail("clock", do, "it differs from the provider's by %v, and webhooks are refused from five minutes on", skew)
	case skew > smallSkew:
		d.warn("clock", do, "it differs from the provider's by %v", skew)
	default:
		d.ok("clock", "it agrees with the provider's to within %v", smallSkew)
	}
}

// get requests a URL and follows no redirect. The caller closes the body.
func get(ctx context.Context, url string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	client := http.Client{Timeout: doctorTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return client.Do(request)
}

// examinePublicURL checks that the public URL leads to the server, and its certificate.
func (d *doctor) examinePublicURL(ctx context.Context) {
	response, err := get(ctx, d.url()+"/healthz?nonce="+url.QueryEscape(d.nonce))
	switch {
	case err != nil && d.status.PublicURL == "" && !reached(err):
		d.warn("public URL", "run crepe doctor again when the server runs", "%s does not answer, and no server runs here", d.url())
		return
	case err != nil:
		d.fail("public URL", "check DNS, the proxy, the certificate and the firewall, from outside too", "%s cannot be requested: %v", d.url(), err)
		return
	}
	defer response.Body.Close()
	proof := response.Header.Get("Crepe-Proof")
	switch {
	case response.StatusCode/100 == 3:
		d.fail("public URL", "set --public-url to the URL that answers", "%s redirects to %s", d.url(), visibleText(response.Header.Get("Location")))
	case response.StatusCode != http.StatusOK:
		d.fail("public URL", "check that the proxy passes requests to --listen", "%s/healthz answers %d", d.url(), response.StatusCode)
	case d.status.PublicURL == "":
		d.warn("public URL", "run crepe doctor on the machine of a running server", "%s answers, but no server runs here that could tell whether it is the one", d.url())
	case proof == "":
		d.fail("public URL", "check where DNS and the proxy lead to", "%s is answered by another program, or by another version of crepe", d.url())
	case !hmac.Equal([]byte(proof), []byte(d.status.Proof)):
		d.fail("public URL", "check where DNS and the proxy lead to", "%s is answered by another deployment of crepe", d.url())
	default:
		d.ok("public URL", "%s is answered by this deployment", d.url())
	}
	d.examineTLS(response)
}

// reached reports whether a failed request got as far as a server.
func reached(err error) bool {
	_, failed := errors.AsType[*net.OpError](err)
	return !failed
}

// examineTLS checks the certificate of the public URL.
func (d *doctor) examineTLS(response *http.Response) {
	if response.TLS == nil {
		if u, err := url.Parse(d.url()); err == nil && u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback() {
			d.warn("certificate", "serve https, by a proxy", "%s is not https: buyers' data can be read on the way", d.url())
		}
		return
	}
	d.judgeCertificate(response.TLS.PeerCertificates[0].NotAfter, time.Now())
}

func (d *doctor) judgeCertificate(end, now time.Time) {
	const do = "check that what renews it works"
	text := fmt.Sprintf("it ends in %s, at %s", plural(int(end.Sub(now).Hours()/24), "day"), end.UTC().Format("2006-01-02 15:04 UTC"))
	switch left := end.Sub(now); {
	case left < nearlyEnd:
		d.fail("certificate", do, "%s", text)
	case left < soonEnds:
		d.warn("certificate", do, "%s", text)
	default:
		d.ok("certificate", "%s", text)
	}
}

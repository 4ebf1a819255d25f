package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/orders"
)

// What tells or changes more than a buyer may is there in `crepe dev` only.
func TestSandboxTools(t *testing.T) {
	t.Parallel()
	for _, tools := range []bool{false, true} {
		shop := openShop(t, func(c *Config) { c.SandboxTools = tools })
		for _, path := range []string{"/sandbox/log", "/sandbox/trigger", "/sandbox/faults", "/sandbox/prod/faults"} {
			response, err := http.Get(shop.PublicURL + path)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if found := response.StatusCode != http.StatusNotFound; found != tools {
				t.Errorf("%s, tools %v: %d", path, tools, response.StatusCode)
			}
		}
	}
}

// TestTriggerCommand: what the command makes happen reaches the order, and what it refuses is explained.
func TestTriggerCommand(t *testing.T) {
	t.Parallel()
	shop := openShop(t, func(c *Config) { c.SandboxTools = true })
	text, err := json.Marshal(shop.file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(shop.Data, "dev.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	command := func(args ...string) (string, error) {
		var out strings.Builder
		err := trigger(append([]string{"--data", shop.Data}, args...), &out)
		return out.String(), err
	}
	session := shop.session(t, nil).SessionID
	shop.createOrder(t, shop.token(t, "user-1"), orderFor(session)).checkoutURL(t)
	_, order := shop.stored(t, session)
	for _, step := range []struct {
		args  []string
		state orders.State
		tries int // to pay, that were refused
	}{
		{[]string{"--fault", "twice", "payment_intent.payment_failed", order.ID}, orders.AwaitingPayment, 1},
		{[]string{"checkout.session.async_payment_failed", order.ID}, orders.Failed, 2},
		{[]string{"--fault", "lost", "checkout.session.async_payment_failed", order.ID}, orders.Failed, 2},
	} {
		if out, err := command(step.args...); err != nil || !strings.Contains(out, `"session":"cs_test_`) {
			t.Fatalf("%v: %v, %s", step.args, err, out)
		}
		eventually(t, fmt.Sprint("the order is ", step.state), func() bool {
			_, o := shop.stored(t, session)
			return o.State == step.state && len(o.Payments) == step.tries
		})
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--help"}, "payment_intent.payment_failed"},
		{[]string{"checkout.session.completed"}, "an event and an order are needed"},
		{[]string{"charge.refunded", order.ID}, "it can be checkout.session.completed, "},
		{[]string{"checkout.session.expired", order.ID}, "not in a state for that event"},
		{[]string{"checkout.session.completed", "ORD_0"}, "no such order"},
		{[]string{"--fault", "timeout", "checkout.session.completed", order.ID}, "no fault of a webhook: timeout"},
	} {
		if out, err := command(c.args...); err == nil || !strings.Contains(out+err.Error(), c.want) {
			t.Errorf("%v: %v, %s", c.args, err, out)
		}
	}
	response, err := http.Get(shop.PublicURL + "/sandbox/log")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	log, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"trigger checkout.session.async_payment_failed", "fault twice", "fault lost", "a…@example.com"} {
		if !strings.Contains(string(log), want) {
			t.Errorf("the log does not say %q", want)
		}
	}
}

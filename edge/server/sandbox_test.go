package server

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestSandboxTools: only crepe dev serves the sandbox's tools.
func TestSandboxTools(t *testing.T) {
	t.Parallel()
	for _, tools := range []bool{false, true} {
		shop := openShop(t, func(c *Config) {
			if tools {
				withTools(c)
			}
		})
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

// TestTriggerCommand: the events that the command triggers reach the order, and its refusals say why.
func TestTriggerCommand(t *testing.T) {
	t.Parallel()
	shop := openShop(t, withTools)
	trigger := shop.triggerCommand(t)
	session := shop.Session(t, nil).SessionID
	url := shop.CreateOrder(t, shop.Token(t, "user-1"), shoptest.OrderFor(session)).CheckoutURL(t)
	_, order := shop.stored(t, session)
	for _, step := range []struct {
		args  []string
		state orders.State
		tries int // to pay, that were declined
	}{
		{[]string{"--fault", "twice", "payment_intent.payment_failed", order.ID}, orders.AwaitingPayment, 1},
		{[]string{"payment_intent.payment_failed", session}, orders.AwaitingPayment, 2},
		{[]string{"payment_intent.payment_failed", order.Current().Ref}, orders.AwaitingPayment, 3},
		{[]string{"payment_intent.payment_failed", url}, orders.AwaitingPayment, 4},
		{[]string{"payment_intent.payment_failed", shop.PublicURL + "/store/" + shop.File.StoreSlug + "/checkout/" + session + "#token=x"}, orders.AwaitingPayment, 5},
		{[]string{"checkout.session.async_payment_failed", order.ID}, orders.Failed, 6},
		{[]string{"--fault", "lost", "checkout.session.async_payment_failed", order.ID}, orders.Failed, 6},
	} {
		time.Sleep(time.Second) // declines of one second and one reason are one try
		out, err := trigger(step.args...)
		if err != nil || !strings.Contains(out, `"session":"cs_test_`) || !strings.Contains(out, `"order":"`+order.ID+`"`) {
			t.Fatalf("%v: %v, %s", step.args, err, out)
		}
		shoptest.Eventually(t, fmt.Sprint("the order is ", step.state), func() bool {
			_, o := shop.stored(t, session)
			return o.State == step.state && len(o.Payments) == step.tries
		})
	}
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"checkout.session.completed"}, []string{"an event and an order are needed", "--help"}},
		{[]string{"charge.refunded", order.ID}, []string{"no such event; it can be checkout.session.completed, "}},
		{[]string{"checkout.session.expired", order.ID}, []string{"not in a state for that event", order.ID, "complete, unpaid", "It needs"}},
		{[]string{"checkout.session.completed", "ORD_0"}, []string{`no such order in the sandbox of this environment: "ORD_0"`, "ORD_…", "cs_…", "--env"}},
		{[]string{"--env", "prod", "checkout.session.completed", order.ID}, []string{"no such order", "in the environment prod"}},
		{[]string{"--env", "live", "checkout.session.completed", order.ID}, []string{"Invalid environment: expected test or prod"}},
		{[]string{"checkout.session.completed", shop.PublicURL + "/demo/shop"}, []string{"no such order"}},
		{[]string{"--fault", "timeout", "checkout.session.completed", order.ID}, []string{"no fault of a webhook: timeout"}},
		{[]string{"--data", t.TempDir(), "checkout.session.completed", order.ID}, []string{"no crepe dev has run in", "--data"}},
	} {
		out, err := trigger(c.args...)
		if err == nil || strings.Contains(out, "{") {
			t.Errorf("%v: %v, %s", c.args, err, out)
		}
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%v: %q is not in %s", c.args, want, out)
			}
		}
	}
	log := shop.sandboxLog(t, checkout.Test)
	for _, want := range []string{"trigger checkout.session.async_payment_failed", "fault twice", "fault lost", "a…@example.com"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not say %q", want)
		}
	}
	// Every row about an order has its id.
	for row := range strings.SplitSeq(log, "<tr>") {
		about := strings.Contains(row, "/v1/checkout/sessions") || strings.Contains(row, "<td>Webhook</td>")
		if about && !strings.Contains(row, order.ID) && !strings.Contains(row, "GET /v1/checkout/sessions<") {
			t.Errorf("a row does not name the order: %s", row)
		}
	}
}

// TestTriggerOfProd: the command reaches the sandbox of prod.
func TestTriggerOfProd(t *testing.T) {
	t.Parallel()
	shop := openShop(t, withTools)
	trigger := shop.triggerCommand(t)
	session, order := shop.prodOrder(t)
	if out, err := trigger("--env", "prod", "checkout.session.completed", order.ID); err != nil || !strings.Contains(out, `"session":"cs_live_`) {
		t.Fatalf("%v, %s", err, out)
	}
	shoptest.Eventually(t, "the order is paid", func() bool {
		_, o := shop.stored(t, session)
		return o.State == orders.Paid
	})
	if log := shop.sandboxLog(t, checkout.Prod); !strings.Contains(log, "trigger checkout.session.completed") || !strings.Contains(log, order.ID) {
		t.Error("the log of prod does not tell of it")
	}
}

// TestToolsOfEnvironment: a call of the sandbox's tools goes to the environment that its body names, or else to that of its path.
func TestToolsOfEnvironment(t *testing.T) {
	t.Parallel()
	shop := openShop(t, withTools)
	_, live := shop.prodOrder(t)
	session := shop.Session(t, nil).SessionID
	shop.CreateOrder(t, shop.Token(t, "user-1"), shoptest.OrderFor(session)).CheckoutURL(t)
	_, test := shop.stored(t, session)
	faultsChosen := map[checkout.Environment]int{}
	for _, c := range []struct {
		path, environment string
		knows             *orders.Order // which of the two; nil for a refusal
	}{
		{"/sandbox", "", test},
		{"/sandbox", `null`, test},
		{"/sandbox", `"test"`, test},
		{"/sandbox", `"prod"`, live},
		{"/sandbox/prod", "", live},
		{"/sandbox/prod", `"prod"`, live},
		{"/sandbox/prod", `"test"`, test},
		{"/sandbox", `"live"`, nil},
		{"/sandbox", `"PROD"`, nil},
		{"/sandbox", `""`, nil},
		{"/sandbox", `7`, nil},
		{"/sandbox/prod", `["prod"]`, nil},
	} {
		environment := ""
		if c.environment != "" {
			environment = `,"environment":` + c.environment
		}
		for _, order := range []*orders.Order{test, live} {
			want := http.StatusNotFound
			switch c.knows {
			case nil:
				want = http.StatusBadRequest
			case order:
				want = http.StatusOK
			}
			got := shop.Post(t, c.path+"/trigger", `{"event":"payment_intent.payment_failed","order":"`+order.ID+`"`+environment+`}`, nil)
			if got.Status != want {
				t.Errorf("%s/trigger, environment %s, %s: %s", c.path, c.environment, order.Environment, got)
			}
		}
		got := shop.Post(t, c.path+"/faults", `{"faults":["retrieve.502"]`+environment+`}`, nil)
		if c.knows == nil {
			if got.Status != http.StatusBadRequest || !strings.Contains(got.Body, "Invalid environment: expected test or prod") {
				t.Errorf("%s/faults, environment %s: %s", c.path, c.environment, got)
			}
			continue
		}
		rows := map[checkout.Environment]int{}
		for _, env := range []checkout.Environment{checkout.Test, checkout.Prod} {
			rows[env] = strings.Count(shop.sandboxLog(t, env), "<td>faults</td>")
		}
		if before := faultsChosen[c.knows.Environment]; got.Status != http.StatusOK || rows[c.knows.Environment] != before+1 {
			t.Errorf("%s/faults, environment %s: %s, then %v", c.path, c.environment, got, rows)
		}
		faultsChosen = rows
	}
}

// prodOrder creates an unpaid order in the prod environment.
func (s *shop) prodOrder(t *testing.T) (session string, order *orders.Order) {
	t.Helper()
	merchant, err := demo.NewClient(s.PublicURL, s.File.MerchantID, s.File.PrivateKey[checkout.Prod])
	if err != nil {
		t.Fatal(err)
	}
	token, err := merchant.IssueToken(s.File.StoreID)
	if err != nil {
		t.Fatal(err)
	}
	session = s.ProdSession(t)
	s.Post(t, shoptest.CreateOrderPath, shoptest.OrderBody(session), map[string]string{"Authorization": "Bearer " + token, "X-Environment": "prod"}).CheckoutURL(t)
	_, order = s.stored(t, session)
	return session, order
}

// triggerCommand builds the binary and returns its command trigger, which finds the shop by dev.json in the data directory.
func (s *shop) triggerCommand(t *testing.T) func(args ...string) (string, error) {
	t.Helper()
	text, err := json.Marshal(s.File)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.Data, demo.FileName), text, 0o600); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), "crepe")
	if output, err := exec.Command("go", "build", "-o", binary, "../cmd/crepe").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return func(args ...string) (string, error) {
		out, err := exec.Command(binary, append([]string{"trigger", "--data", s.Data}, args...)...).CombinedOutput()
		return string(out), err
	}
}

// sandboxLog returns the log page of an environment's sandbox.
func (s *shop) sandboxLog(t *testing.T, env checkout.Environment) string {
	t.Helper()
	return s.Get(t, sandboxPath[env]+"/log").Body
}

// serving opens the server of `crepe serve --sandbox` on a data directory.
func serving(data string, log io.Writer) (*server, error) {
	c := Config{Data: data, PublicURL: "http://127.0.0.1:1", Sandbox: map[checkout.Environment]bool{checkout.Test: true}}
	return newServer(c, slog.New(slog.NewTextHandler(log, nil)))
}

// TestDamagedSandbox: if the sandbox's database cannot be opened, its environment has no payment provider, and the log says so. The
// rest is served.
func TestDamagedSandbox(t *testing.T) {
	data := t.TempDir()
	s, err := serving(data, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, sandboxDatabase, "MANIFEST"), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	if s, err = serving(data, &log); err != nil {
		t.Fatalf("not served: %v", err)
	}
	defer s.close()
	if err := s.ready(); err != nil {
		t.Errorf("not ready: %v", err)
	}
	for _, said := range []string{"the sandbox cannot be opened", "crepe repair --data", "no payment provider"} {
		if !strings.Contains(log.String(), said) {
			t.Errorf("the log does not say %q: %s", said, &log)
		}
	}
}

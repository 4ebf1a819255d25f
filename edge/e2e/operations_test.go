package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// operate runs the binary, which must succeed, and returns what it prints.
func operate(t testing.TB, args ...string) string {
	t.Helper()
	var stdout, stderr strings.Builder
	c := exec.Command(binary.path, args...)
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		t.Fatalf("crepe %v: %v: %s", args, err, &stderr)
	}
	return stdout.String()
}

// operateJSON is operate with --json.
func operateJSON[T any](t testing.TB, args ...string) (answer T) {
	t.Helper()
	text := operate(t, append(args, "--json")...)
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatalf("crepe %v --json: %v: %s", args, err, text)
	}
	return answer
}

// paidTwice creates an order with two attempts through the binary, and applies events that report both as paid and a payment of an
// unknown order. It returns the order's id.
func paidTwice(t *testing.T, data string) (orderID string) {
	t.Helper()
	address := freeAddress(t)
	running := start(t, data, address)
	s := shopOn(t, data)
	id, token := s.Session(t, nil).SessionID, s.Token(t, "user-1")
	for _, country := range []string{"DE", "FR"} {
		s.CreateOrder(t, token, shoptest.OrderTo(id, country)).CheckoutURL(t)
	}
	running.kill()
	opened := openRecords(t, data)
	defer opened.close()
	_, order := opened.order(t, id)
	events := []psp.Event{{ID: "evt_unknown", Checkout: psp.Checkout{Ref: "cs_unknown", PaymentID: "pi_unknown", OrderID: "ORD_\x1b[31m",
		Total: money.Amount{Minor: 4242, Currency: "EUR"}}}}
	for i := range order.Attempts {
		a := &order.Attempts[i]
		events = append(events, psp.Event{ID: fmt.Sprint("evt_", a.N), Checkout: psp.Checkout{Ref: a.Ref, OrderID: order.ID, Attempt: a.N,
			SessionID: order.SessionID, PaymentID: fmt.Sprint("pi_", a.N),
			Total: money.Amount{Minor: a.Placed.Quote.Assessment.Total, Currency: a.Placed.Quote.Currency}}})
	}
	for _, ev := range events {
		ev.Kind, ev.Created, ev.Checkout.Paid, ev.Checkout.Status = psp.EventCompleted, time.Now(), true, psp.CheckoutComplete
		if err := opened.orders.Apply(t.Context(), checkout.Test, ev); err != nil {
			t.Fatal(err)
		}
	}
	return order.ID
}

// TestReview: payments that need a person are listed, counted and marked as handled, with a running server and without one.
func TestReview(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	order := paidTwice(t, data)
	const event = "sandbox" + "/evt_unknown"
	check := func(where string, handled bool) {
		t.Helper()
		events := operateJSON[[]admin.QuarantinedEvent](t, "orders", "quarantine", "--data", data)
		if len(events) != 1 || events[0].ID != event || events[0].Amount != "42.42" || events[0].Currency != "EUR" || !events[0].Paid ||
			events[0].At == nil || (events[0].HandledAt != nil) != handled || events[0].Environment != checkout.Test {
			t.Errorf("%s: in quarantine %+v", where, events)
		}
		due := operateJSON[[]admin.Refund](t, "orders", "refund-due", "--data", data, "--env", "test")
		if len(due) != 1 || due[0].OrderID != order || len(due[0].Payments) != 2 || due[0].Payments[1].PaymentID != "pi_2" ||
			(due[0].HandledAt != nil) != handled {
			t.Errorf("%s: refunds due %+v", where, due)
		}
		for list, want := range map[string][]string{
			"quarantine": {event, "cs_unknown", "pi_unknown", "42.42 EUR", "ORD_?[31m", "there is no such order"},
			"refund-due": {order, "payment 1 of 2", "pi_2"},
		} {
			text := operate(t, "orders", list, "--data", data)
			for _, part := range append(want, map[bool]string{true: "\nAll are handled.", false: "\n1 not handled. "}[handled]) {
				if !strings.Contains(text, part) {
					t.Errorf("%s: %s does not show %q:\n%s", where, list, part, text)
				}
			}
		}
		for _, list := range []string{"quarantine", "refund-due"} {
			if text := operate(t, "orders", list, "--data", data, "--env", "prod", "--json"); text != "[]\n" {
				t.Errorf("%s: %s of prod: %s", where, list, text)
			}
		}
	}
	check("stopped", false)
	running := start(t, data, freeAddress(t))
	check("running", false)
	wantMetrics(t, data, 1)
	refused(t, nil, "there is no event sandbox/evt_other in quarantine", "orders", "quarantine", "--data", data, "--handled", "sandbox/evt_other")
	refused(t, nil, "there is no event "+event+" in quarantine in prod", "orders", "quarantine", "--data", data, "--handled", event, "--env", "prod")
	refused(t, nil, `"evt_unknown" is no entry of the quarantine`, "orders", "quarantine", "--data", data, "--handled", "evt_unknown")
	refused(t, nil, `there is no order "ORD_1" with a refund due`, "orders", "refund-due", "--data", data, "--handled", "ORD_1")
	for range 2 { // a second time changes nothing
		operate(t, "orders", "quarantine", "--data", data, "--handled", event)
		operate(t, "orders", "refund-due", "--data", data, "--handled", order)
	}
	check("handled", true)
	wantMetrics(t, data, 0)
	running.kill()
	check("killed", true)
}

// overSocket returns a client of a running server's operations.
func overSocket(data string) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", filepath.Join(data, admin.Socket))
	}}}
}

// ask sends a request over the socket.
func ask(t *testing.T, data, method, path, body string) shoptest.Reply {
	t.Helper()
	request, err := http.NewRequest(method, "http://crepe"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	client := overSocket(data)
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return shoptest.Reply{Status: response.StatusCode, Header: response.Header, Body: string(text)}
}

func wantMetrics(t *testing.T, data string, unhandled int) {
	t.Helper()
	got := ask(t, data, "GET", admin.Metrics, "")
	for _, want := range []string{
		"# HELP crepe_quarantined Payment events in quarantine that nobody has handled.\n# TYPE crepe_quarantined gauge\n",
		fmt.Sprintf("\ncrepe_quarantined{environment=\"test\"} %d\n", unhandled), "\ncrepe_quarantined{environment=\"prod\"} 0\n",
		fmt.Sprintf("\ncrepe_refund_due{environment=\"test\"} %d\n", unhandled), "\ncrepe_webhook_deliveries_failed{environment=\"test\"} 0\n",
		"\ncrepe_ready 1\n", "\nprocess_start_time_seconds ",
	} {
		if !strings.Contains(got.Body, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if !strings.HasPrefix(got.Header.Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Errorf("%v", got.Header)
	}
}

// TestTokenKeys: a running server accepts the tokens of a rotated key, and refuses those of a revoked key at once.
func TestTokenKeys(t *testing.T) {
	t.Parallel()
	data, address := t.TempDir(), freeAddress(t)
	running := start(t, data, address)
	s := shopOn(t, data)
	session, token := s.Session(t, nil).SessionID, s.Token(t, "user-1")
	status := func(token string) int { return s.CreateOrder(t, token, shoptest.OrderFor(session)).Status }
	keys := func(args ...string) []admin.TokenKey {
		return operateJSON[[]admin.TokenKey](t, append([]string{"token-key"}, append(args, "--data", data)...)...)
	}
	if got := status(token); got != 200 {
		t.Fatalf("before: %d", got)
	}
	first := keys("list")
	if len(first) != 2 || first[0].State != "signing" || first[0].Environment != checkout.Test {
		t.Fatalf("at first: %+v", first)
	}
	both := keys("rotate", "--env", "test")
	if len(both) != 2 || both[0].State != "published" || both[1].State != "signing" || both[1].ID != first[0].ID {
		t.Fatalf("rotated: %+v", both)
	}
	if got := status(token); got != 200 {
		t.Errorf("a token of the rotated key: %d", got)
	}
	left := keys("revoke", first[0].ID)
	if len(left) != 1 || left[0].ID != both[0].ID || left[0].State != "signing" {
		t.Fatalf("revoked: %+v", left)
	}
	if got := status(token); got != 401 {
		t.Errorf("a token of the revoked key: %d", got)
	}
	token = s.Token(t, "user-1")
	if got := status(token); got != 200 {
		t.Errorf("a token of the new key: %d", got)
	}
	if only := keys("revoke", left[0].ID); len(only) != 1 || only[0].ID == left[0].ID {
		t.Errorf("the only key was revoked: %+v", only)
	}
	if old, fresh := status(token), status(s.Token(t, "user-1")); old != 401 || fresh != 200 {
		t.Errorf("after the only key was revoked: %d with an old token, %d with a new one", old, fresh)
	}
	refused(t, nil, `there is no key "KEY_1"`, "token-key", "revoke", "KEY_1", "--data", data)
	for ask(t, data, "POST", admin.RotateTokenKeys, `{"environment":"test"}`).Status == 200 {
	}
	refused(t, nil, "crepe token-key: test has as many live keys as can verify", "token-key", "rotate", "--data", data)
	running.kill()

	text := operate(t, "token-key", "list", "--data", data)
	if !regexp.MustCompile(`(?m)^prod +` + first[1].ID + ` +\S+ +signing +\S+$`).MatchString(text) {
		t.Errorf("without a server:\n%s", text)
	}
	if left := keys("revoke", first[1].ID); len(left) != 1 || left[0].ID == first[1].ID {
		t.Errorf("without a server, revoked: %+v", left)
	}
}

// TestAdminSocket: only the server's user can open the socket; a crash or a second server does not remove it, and the server
// removes it at its end.
func TestAdminSocket(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	socket := filepath.Join(data, admin.Socket)
	first := start(t, data, freeAddress(t))
	info, err := os.Stat(socket)
	if err != nil || info.Mode() != os.ModeSocket|0o600 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}
	first.kill()
	if _, err := os.Stat(socket); err != nil {
		t.Fatal(err)
	}
	operate(t, "token-key", "list", "--data", data) // the server is gone, its socket is not
	second := start(t, data, freeAddress(t))
	wantMetrics(t, data, 0)
	refused(t, nil, "is another crepe running on it?", "dev", "--data", data, "--listen", "127.0.0.1:0")
	wantMetrics(t, data, 0)

	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"POST", admin.ListTokenKeys, `{}`, 200, `"items":[`},
		{"GET", admin.ListTokenKeys, ``, 400, "/token-keys/list does not take GET"},
		{"POST", admin.Metrics, `{}`, 400, "/metrics does not take POST"},
		{"POST", "/token-keys/eat", `{}`, 404, "no operation /token-keys/eat"},
		{"POST", admin.RotateTokenKeys, `{"environment":"test","soon":true}`, 400, "not understood"},
		{"POST", admin.RotateTokenKeys, `{"environment":"staging"}`, 400, `no environment \"staging\"`},
		{"POST", admin.ListRefunds, `[]`, 400, "not understood"},
		{"POST", admin.ListRefunds, ``, 400, "not understood"},
		{"POST", admin.ListRefunds, strings.Repeat(" ", admin.MaxRequest+1), 413, "the request has more than 405 KiB"},
	} {
		got := ask(t, data, c.method, c.path, c.body)
		if got.Status != c.status || !strings.Contains(got.Body, c.says) || strings.Contains(got.Body, "ecret") {
			t.Errorf("%s %s %.40s: %d %s", c.method, c.path, c.body, got.Status, got.Body)
		}
	}
	if err := second.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	second.Wait()
	if _, err := os.Stat(socket); !os.IsNotExist(err) {
		t.Errorf("the socket after the end: %v", err)
	}
}

// TestLongDataPath: if the socket's path is too long, absolute and relative, the server sells and logs why the commands do not
// reach it.
func TestLongDataPath(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), strings.Repeat("long/", 30))
	address := freeAddress(t)
	crepe, log := launch(t, "dev", "--data", data, "--listen", address)
	waitReady(t, address)
	if want := "choose a shorter --data"; !strings.Contains(log.String(), want) {
		t.Errorf("the log does not say %q: %s", want, log)
	}
	refused(t, nil, "does not answer on its socket admin.sock", "token-key", "list", "--data", data)
	crepe.Process.Kill()
	crepe.Wait()
	operate(t, "token-key", "list", "--data", data)

	near := exec.Command(binary.path, "dev", "--data", data, "--listen", "127.0.0.1:0")
	near.Dir = filepath.Dir(data)
	out := new(shoptest.Buffer)
	near.Stdout, near.Stderr = out, out
	if err := near.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Process.Kill(); near.Wait() })
	shoptest.Eventually(t, "the server is ready", func() bool { return strings.Contains(out.String(), "Crêpe is ready") })
	list := exec.Command(binary.path, "token-key", "list", "--data", filepath.Base(data))
	list.Dir = near.Dir
	if output, err := list.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, output)
	}
}

// TestOperationMisuse: a wrong command line is refused with the reason, and creates no directory.
func TestOperationMisuse(t *testing.T) {
	t.Parallel()
	nowhere := filepath.Join(t.TempDir(), "nowhere")
	refused(t, nil, "crepe token-key: there is no database of crepe in "+nowhere, "token-key", "list", "--data", nowhere)
	refused(t, []string{"CREPE_DATA=" + nowhere}, "there is no database of crepe in "+nowhere, "orders", "refund-due")
	if _, err := os.Stat(nowhere); !os.IsNotExist(err) {
		t.Errorf("%s: %v", nowhere, err)
	}
	for want, args := range map[string]string{
		"crepe token-key: which of its commands? list, revoke, rotate\ncrepe token-key --help": "token-key",
		`unknown command "eat"; there are list, revoke, rotate`:                                "token-key eat",
		"which of its commands? quarantine, refund-due":                                        "orders",
		"the id of one key is needed; crepe token-key list has them":                           "token-key revoke",
		"the id of one key is needed":                                                          "token-key revoke KEY_1 KEY_2",
		`unexpected argument "KEY_1"`:                                                          "token-key rotate KEY_1",
		`unexpected argument "evt_1"`:                                                          "orders quarantine --handled stripe/evt_0 evt_1",
		"flag provided but not defined: -env":                                                  "token-key revoke --env test KEY_1",
	} {
		refused(t, nil, want, strings.Fields(args)...)
	}

	here := t.TempDir()
	if err := os.Mkdir(filepath.Join(here, ".crepe"), 0o700); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(binary.path, "token-key", "list")
	c.Dir = here
	output, err := c.CombinedOutput()
	if err == nil || !strings.Contains(string(output), "there is no crepe-data here; --data .crepe names the directory of crepe dev") {
		t.Errorf("beside a directory of crepe dev: %v: %s", err, output)
	}
}

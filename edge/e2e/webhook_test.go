package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// merchantServer is a merchant's server that runs under Node.
type merchantServer struct {
	*testing.T
	stdin io.Writer
	lines chan string
}

// told is a line that it prints.
type told struct {
	URL     string
	Webhook struct {
		ID, StoreID, Channel, URL, CreatedAt, UpdatedAt string
		Events                                          []string
		TestMode                                        bool
		Secret                                          *string
	}
	Event struct {
		ID, Timestamp, EventType, EventID, StoreID, StoreName, Mode string
		Data                                                        map[string]any
	}
	Error  string
	Status int
	Errors []struct{ Message, Layer string }
}

func startMerchant(t *testing.T, dir, data string) *merchantServer {
	t.Helper()
	return runMerchant(t, filepath.Join(npmInstall(t, dir), "endpoint.mjs"), filepath.Join(data, demo.FileName))
}

// runMerchant runs a script under Node until the test ends.
func runMerchant(t *testing.T, script ...string) *merchantServer {
	t.Helper()
	node := exec.Command("node", script...)
	node.Stderr = os.Stderr
	stdin, errIn := node.StdinPipe()
	stdout, errOut := node.StdoutPipe()
	if errIn != nil || errOut != nil {
		t.Fatal(errIn, errOut)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { node.Process.Kill(); node.Wait() })
	m := &merchantServer{t, stdin, make(chan string, 100)}
	go func() {
		for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
			m.lines <- scanner.Text()
		}
		close(m.lines)
	}()
	return m
}

// next waits for the next line.
func (m *merchantServer) next() (t told) {
	m.Helper()
	select {
	case line := <-m.lines:
		if err := json.Unmarshal([]byte(line), &t); err != nil {
			m.Fatalf("the merchant's server says %q: %v", line, err)
		}
	case <-time.After(2 * time.Minute):
		m.Fatal("the merchant's server says nothing")
	}
	return t
}

// say sends a line and waits for the answer.
func (m *merchantServer) say(line string) told {
	m.Helper()
	if _, err := io.WriteString(m.stdin, line+"\n"); err != nil {
		m.Fatal(err)
	}
	return m.next()
}

// buy places an order and pays it.
func buy(t *testing.T, s *shoptest.Shop) (sessionID string) {
	t.Helper()
	session := s.Session(t, map[string]any{"metadata": map[string]string{"plan": "pro"}, "orderMerchantExternalId": "ORDER-1"})
	s.Pay(t, s.CreateOrder(t, s.Token(t, "user-17"), shoptest.OrderFor(session.SessionID)).CheckoutURL(t))
	return session.SessionID
}

// TestSDKWebhook: the public SDK adds an endpoint, verifies what it gets when a buyer pays, changes the endpoint and removes it.
func TestSDKWebhook(t *testing.T) {
	data := t.TempDir()
	start(t, data, freeAddress(t))
	shop := shopOn(t, data)
	merchant := startMerchant(t, "testdata/sdk", data)
	added := merchant.next().Webhook
	if added.StoreID != shop.File.StoreID || added.Channel != "http" || !added.TestMode || len(added.Events) != 1 || added.Secret != nil {
		t.Errorf("added %+v", added)
	}
	buy(t, shop)
	got := merchant.next()
	if got.Error != "" || got.Event.EventType != "order.completed" || got.Event.Mode != "test" || got.Event.StoreID != shop.File.StoreID ||
		got.Event.Data["merchantProvidedBuyerIdentity"] != "user-17" || got.Event.Data["orderMerchantExternalId"] != "ORDER-1" {
		t.Errorf("the endpoint got %+v", got)
	}
	if updated := merchant.say("update").Webhook; updated.ID != added.ID || strings.Join(updated.Events, " ") != "order.completed refund.succeeded" {
		t.Errorf("updated %+v", updated)
	}
	if refused := merchant.say("slack"); refused.Status != 501 || len(refused.Errors) == 0 || refused.Errors[0].Layer != "store" {
		t.Errorf("another channel: %+v", refused)
	}
	if removed := merchant.say("remove").Webhook; removed.ID != added.ID {
		t.Errorf("removed %+v", removed)
	}
	buy(t, shop)
	select {
	case line := <-merchant.lines:
		t.Errorf("after its removal the endpoint got %s", line)
	case <-time.After(2 * time.Second):
	}
}

// TestNextWebhook: the handler of the public Next.js package verifies a delivery and hands it to the merchant's function.
func TestNextWebhook(t *testing.T) {
	data := t.TempDir()
	start(t, data, freeAddress(t))
	merchant := startMerchant(t, "testdata/nextjs", data)
	merchant.next()
	buy(t, shopOn(t, data))
	if got := merchant.next(); got.Error != "" || got.Event.EventType != "order.completed" || got.Event.Data["orderStatus"] != "completed" {
		t.Errorf("the handler got %+v", got)
	}
}

// TestWebhookListen: crepe webhook listen adds itself to the demo store, verifies what it prints, and removes itself.
func TestWebhookListen(t *testing.T) {
	data := t.TempDir()
	start(t, data, freeAddress(t))
	command := func(args ...string) string {
		t.Helper()
		output, err := exec.Command(binary.path, append([]string{"webhook", args[0], "--data", data}, args[1:]...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("crepe webhook %v: %v\n%s", args, err, output)
		}
		return string(output)
	}
	listen := exec.Command(binary.path, "webhook", "listen", "--data", data)
	stdout, err := listen.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := listen.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listen.Process.Kill() })
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() || !strings.Contains(lines.Text(), "of the demo store") {
		t.Fatalf("it prints %q", lines.Text())
	}
	var endpoints []struct{ ID string }
	if err := json.Unmarshal([]byte(command("list", "--json")), &endpoints); err != nil || len(endpoints) != 1 {
		t.Fatal(endpoints, err)
	}
	command("test", endpoints[0].ID)
	buy(t, shopOn(t, data))
	seen := make(map[string]bool)
	for len(seen) < 2 && lines.Scan() {
		for _, event := range []string{"webhook.test", "order.completed"} {
			if strings.Contains(lines.Text(), event) && strings.HasSuffix(lines.Text(), "verified with the test key, answered 200") {
				seen[event] = true
			}
		}
	}
	if err := listen.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
	}
	if err := listen.Wait(); err != nil || len(seen) != 2 {
		t.Errorf("it printed %v, and ended with %v", seen, err)
	}
	if left := strings.TrimSpace(command("list", "--json")); left != "[]" {
		t.Errorf("it has left %s", left)
	}
}

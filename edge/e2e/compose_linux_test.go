package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/pgtest"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// composition is the part of compose.yaml that the test reads.
type composition struct {
	Services map[string]service
}

type service struct {
	Image       string
	Build       string
	Command     []string
	Environment map[string]string
	Volumes     []string
	HealthCheck struct {
		Test    []string
		Disable bool
	}
	DependsOn map[string]struct{ Condition string } `yaml:"depends_on"`
}

// TestCompose runs the services of compose.yaml without containers: the binary with their commands and variables, PostgreSQL, and Caddy
// with the same configuration. Only addresses differ. A buyer buys through the proxy, and again when one of the servers is killed.
func TestCompose(t *testing.T) {
	t.Parallel()
	services := readComposition(t)
	cluster, err := pgtest.Start("fsync = off")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	cluster.Exec(t, "CREATE DATABASE "+services["db"].Environment["POSTGRES_DB"])
	address := map[string]string{"db:5432": fmt.Sprint("127.0.0.1:", cluster.Port)}
	for _, container := range []string{"proxy:8080", "sandbox.localhost:8788", "edge1:8787", "edge2:8787"} {
		address[container] = freeAddress(t)
	}
	address["localhost:8080"] = address["proxy:8080"]
	address[":8080"], address["0.0.0.0:8788"] = "http://"+address["proxy:8080"], address["sandbox.localhost:8788"]
	address["172.30.87.0/24"] = "127.0.0.0/8"

	if at, known := services["sandbox"].Environment["CREPE_PUBLIC_URL"], services["edge1"].Environment["CREPE_STRIPE_TEST_URL"]; at != known {
		t.Errorf("the payment pages are at %s, and the checkout page sends buyers to %s only", at, known)
	}

	run := services["migrate"].command(address)
	if output, err := run.CombinedOutput(); err != nil || !strings.Contains(string(output), "applied") {
		t.Fatalf("migrate: %v: %s", err, output)
	}
	runService(t, services["sandbox"].command(address, "CREPE_DATA="+t.TempDir()))
	data := t.TempDir()
	first := runService(t, services["edge1"].command(address, "CREPE_LISTEN="+address["edge1:8787"], "CREPE_DATA="+data))
	runService(t, services["edge2"].command(address, "CREPE_LISTEN="+address["edge2:8787"], "CREPE_DATA="+t.TempDir()))
	waitReady(t, address["edge1:8787"])
	waitReady(t, address["edge2:8787"])
	proxy := exec.Command("caddy", "run", "--adapter", "caddyfile", "--config", "../cmd/crepe/Caddyfile")
	proxy.Env = append(os.Environ(), services["proxy"].variables(address)...)
	proxy.Env = append(proxy.Env, "HOME="+t.TempDir())
	runService(t, proxy)
	waitReady(t, address["proxy:8080"])

	url := "http://" + address["proxy:8080"]
	made := makeMerchant(t, data, "Acme")
	key := makeKey(t, data, made.Merchant.ID, checkout.Test)
	store := operateJSON[admin.Store](t, "store", "create", "--name", "Acme", "--seller-country", "DE", "--data", data)
	merchant := signer(t, url, made.Merchant.ID, key.PrivateKey)
	var product struct{ Product struct{ ID string } }
	if err := merchant.Call("/v1/actions/onetime-product/create-product", map[string]any{"storeId": store.ID, "name": "Notebook",
		"prices": map[string]any{"EUR": map[string]any{"amount": "29.00", "taxCategory": "saas"}}}, &product); err != nil {
		t.Fatal(err)
	}
	buyThrough(t, url, merchant, store.ID, product.Product.ID)
	first.Process.Kill()
	buyThrough(t, url, merchant, store.ID, product.Product.ID)
}

// buyThrough buys a product through the proxy and pays for it at the sandbox, whose event closes the session.
func buyThrough(t *testing.T, url string, merchant *demo.Client, storeID, productID string) {
	t.Helper()
	var session demo.Session
	var token string
	var placed shoptest.Reply
	shop := &shoptest.Shop{URL: url}
	// A request on the proxy's connection to a killed server gets 502, and is tried again.
	shoptest.Eventually(t, "a session is created", func() bool {
		var err error
		session, err = merchant.CreateSession(productID, "")
		return err == nil
	})
	shoptest.Eventually(t, "a token is issued", func() bool {
		var err error
		token, err = merchant.IssueToken(storeID)
		return err == nil
	})
	request := shoptest.OrderFor(session.SessionID)
	shoptest.Eventually(t, "an order is created", func() bool {
		placed = shop.CreateOrder(t, token, request)
		return placed.Status == http.StatusOK
	})
	shop.Pay(t, placed.CheckoutURL(t))
	shoptest.Eventually(t, "the session is closed by the payment", func() bool {
		return shop.CreateOrder(t, token, request).Status == http.StatusConflict
	})
}

var (
	variableOf = regexp.MustCompile(`\$\{([A-Z_]+):\?[^}]+\}`)
	pinned     = regexp.MustCompile(`^[a-z]+:[0-9]+\.[0-9]+(\.[0-9]+)?-[a-z]+$`)
	dependency = map[string]map[string]string{
		"edge1": {"migrate": "service_completed_successfully", "sandbox": "service_started"},
		"proxy": {"edge1": "service_healthy", "edge2": "service_healthy"}, "migrate": {"db": "service_healthy"},
	}
)

// readComposition reads compose.yaml, with a secret of this test for each variable, and checks what a run without containers does not.
func readComposition(t *testing.T) map[string]service {
	t.Helper()
	text, err := os.ReadFile("../../compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	secret := map[string]string{"POSTGRES_PASSWORD": "secret", "STRIPE_TEST_KEY": "sk_test_secret", "STRIPE_TEST_WEBHOOK_SECRET": "whsec_secret"}
	filled := variableOf.ReplaceAllStringFunc(string(text), func(use string) string {
		name := variableOf.FindStringSubmatch(use)[1]
		if secret[name] == "" || !strings.Contains(string(text), " "+name+"=") {
			t.Errorf("the commands at the top make no %s", name)
		}
		return secret[name]
	})
	var c composition
	if err := yaml.Unmarshal([]byte(filled), &c); err != nil {
		t.Fatal(err)
	}
	for name, s := range c.Services {
		if s.Build == "" && !pinned.MatchString(s.Image) {
			t.Errorf("%s: the image %s is not pinned", name, s.Image)
		}
		for other, condition := range dependency[name] {
			if s.DependsOn[other].Condition != condition {
				t.Errorf("%s does not wait for %s: %+v", name, other, s.DependsOn)
			}
		}
	}
	if check := c.Services["edge1"].HealthCheck.Test; strings.Join(check, " ") != "CMD crepe ready" {
		t.Errorf("the health check of a server is %q", check)
	}
	if mounted := strings.Join(c.Services["proxy"].Volumes, " "); mounted != "./edge/cmd/crepe/Caddyfile:/etc/caddy/Caddyfile:ro" {
		t.Errorf("the proxy's files are %q", mounted)
	}
	image, err := os.ReadFile("../../Dockerfile")
	if err != nil || !strings.Contains(string(image), "\nENTRYPOINT [\"crepe\"]\n") || !strings.Contains(string(image), "CREPE_LISTEN=0.0.0.0:8787 CREPE_DATA=/var/lib/crepe\n") {
		t.Errorf("compose.yaml expects another image: %v", err)
	}
	return c.Services
}

// command is the binary with a service's command, and with its variables only, as in a container.
func (s service) command(address map[string]string, more ...string) *exec.Cmd {
	c := exec.Command(binary.path, s.Command...)
	c.Env = append(s.variables(address), more...)
	return c
}

// variables are a service's variables, with the addresses of this run.
func (s service) variables(address map[string]string) (pairs []string) {
	var replacements []string
	for from, to := range address {
		replacements = append(replacements, from, to)
	}
	replace := strings.NewReplacer(replacements...)
	for name, value := range s.Environment {
		pairs = append(pairs, name+"="+replace.Replace(value))
	}
	return pairs
}

// runService runs a program until the test ends.
func runService(t *testing.T, c *exec.Cmd) *exec.Cmd {
	t.Helper()
	log := new(shoptest.Buffer)
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
		if t.Failed() {
			t.Logf("%v\n%s", c.Args, log)
		}
	})
	return c
}

package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// madeKey is the answer of crepe key create and crepe key rotate.
type madeKey struct {
	Key        admin.Key
	Old        *admin.Key
	PrivateKey string
	File       string
}

func makeMerchant(t testing.TB, data, name string) admin.NewMerchant {
	t.Helper()
	return operateJSON[admin.NewMerchant](t, "merchant", "create", "--name", name, "--data", data)
}

func makeKey(t testing.TB, data, merchantID string, env checkout.Environment, more ...string) madeKey {
	t.Helper()
	return operateJSON[madeKey](t, append([]string{"key", "create", "--merchant", merchantID, "--env", string(env), "--data", data}, more...)...)
}

// serveOn runs crepe serve with the sandbox on a data directory, until the test ends.
func serveOn(t *testing.T, data string) (*exec.Cmd, *shoptest.Buffer, string) {
	t.Helper()
	address := freeAddress(t)
	c, log := launch(t, "serve", "--sandbox", "--data", data, "--listen", address)
	waitReady(t, address)
	return c, log, "http://" + address
}

// initialise makes a data directory of crepe serve and stops the server.
func initialise(t *testing.T) (data string) {
	t.Helper()
	data = t.TempDir()
	c, _, _ := serveOn(t, data)
	c.Process.Kill()
	c.Wait()
	return data
}

// stock gives a merchant of a stopped server stores with a product each, on sale in both environments.
func stock(t *testing.T, data, merchantID string, stores int) (stocked []*catalog.Demo) {
	t.Helper()
	db, err := badgerstore.Open(filepath.Join(data, ownDatabase), badgerstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range stores {
		d, err := catalog.NewDemo(time.Now(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		d.Store.MerchantID = merchantID
		if err := db.Put(t.Context(), catalog.Change{Store: d.Store, Products: d.Products}); err != nil {
			t.Fatal(err)
		}
		stocked = append(stocked, d)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return stocked
}

// signer is a merchant's program with one key.
func signer(t testing.TB, url, merchantID, privateKey string) *demo.Client {
	t.Helper()
	c, err := demo.NewClient(url, merchantID, privateKey)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// statusOf is the status of a call that may be refused.
func statusOf(t testing.TB, err error) int {
	t.Helper()
	if err == nil {
		return 200
	}
	refusal, ok := errors.AsType[*demo.StatusError](err)
	if !ok {
		t.Error(err)
		return 0
	}
	return refusal.Status
}

// TestFirstRun: a server without a merchant says what to do. It is ready, and what the printed commands make works without a
// restart, with the environment variables that they print.
func TestFirstRun(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	server, log, url := serveOn(t, data)
	commands := []string{}
	shoptest.Eventually(t, "the commands are printed", func() bool { return strings.Contains(log.String(), "for real payments") })
	for line := range strings.Lines(log.String()) {
		if command, ok := strings.CutPrefix(line, "  crepe "); ok {
			commands = append(commands, strings.TrimSpace(command))
		}
	}
	if len(commands) != 3 || !strings.HasSuffix(commands[0], " --data "+data) {
		t.Fatalf("printed %q", commands)
	}
	printed := ""
	for _, command := range commands {
		shell := exec.Command("sh", "-c", binary.path+" "+strings.Replace(command, " CC ", " DE ", 1))
		output, err := shell.Output()
		if err != nil {
			t.Fatalf("%s: %v", command, err)
		}
		printed += string(output)
	}
	variables := environmentOf(printed)
	if variables["WAFFO_BASE_URL"] != url || len(variables) != 6 {
		t.Errorf("the variables are %v", variables)
	}
	if _, err := signer(t, url, variables["WAFFO_MERCHANT_ID"], pemOf(t, variables["WAFFO_PRIVATE_KEY"])).IssueToken(variables["WAFFO_STORE_ID"]); err != nil {
		t.Errorf("a signed request for the store: %v", err)
	}
	server.Process.Kill()
	server.Wait()
	if again, log, _ := serveOn(t, data); strings.Contains(log.String(), "no merchant") {
		t.Errorf("with a merchant %v prints %s", again.Args, log)
	}
}

// pemOf is a private key in PEM, from the base64 of an environment variable.
func pemOf(t *testing.T, text string) string {
	t.Helper()
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// environmentOf reads an .env file.
func environmentOf(text string) map[string]string {
	variables := make(map[string]string)
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") {
			variables[name] = value
		}
	}
	return variables
}

// TestAccounts: a merchant and keys that are made on a stopped directory work with the real SDK, in the environment of the key.
func TestAccounts(t *testing.T) {
	t.Parallel()
	sdk, data := npmInstall(t, "testdata/sdk"), initialise(t)
	made := operate(t, "merchant", "create", "--name", "Acme", "--data", data)
	variables := environmentOf(made)
	merchantID := variables["WAFFO_MERCHANT_ID"]
	storeID := environmentOf(operate(t, "store", "create", "--name", "Field Notes", "--data", data))["WAFFO_STORE_ID"]
	keyFile := filepath.Join(t.TempDir(), "prod.pem")
	printed := map[checkout.Environment]string{checkout.Test: operate(t, "key", "create", "--env", "test", "--data", data),
		checkout.Prod: operate(t, "key", "create", "--env", "prod", "--out", keyFile, "--data", data)}
	written, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(keyFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	private := map[checkout.Environment]string{checkout.Test: environmentOf(printed[checkout.Test])["WAFFO_PRIVATE_KEY"], checkout.Prod: string(written)}
	server, log, url := serveOn(t, data)
	var got struct{ ProductID, Token, SessionID, Code string }
	var sessionID string
	for _, env := range []checkout.Environment{checkout.Test, checkout.Prod} {
		script := exec.Command("node", filepath.Join(sdk, "account.mjs"), got.ProductID)
		script.Env = append(os.Environ(), "WAFFO_MERCHANT_ID="+merchantID, "WAFFO_STORE_ID="+storeID, "WAFFO_BASE_URL="+url, "WAFFO_PRIVATE_KEY="+private[env])
		output, err := script.CombinedOutput()
		if err != nil || json.Unmarshal(output, &got) != nil {
			t.Fatalf("%s: %v: %s", env, err, output)
		}
		claims, _ := base64.RawURLEncoding.DecodeString(strings.Split(got.Token, ".")[1])
		if !strings.Contains(string(claims), `"env":"`+string(env)+`"`) {
			t.Errorf("%s: the token claims %s", env, claims)
		}
		if env == checkout.Test {
			sessionID = got.SessionID
		} else if got.Code != "provider-missing" { // the sandbox serves the test environment only
			t.Errorf("prod: %s", output)
		}
	}
	server.Process.Kill()
	server.Wait()
	checkNowhere(t, data, log.String(), private)
	r := openRecords(t, data)
	defer r.close()
	if session, err := r.db.Session(t.Context(), sessionID); err != nil || session.Environment != checkout.Test || session.MerchantID != merchantID {
		t.Errorf("%+v, %v", session, err)
	}
}

// checkNowhere: no file of the data directory and no line of the log has a private key, in PEM, in base64 or in DER.
func checkNowhere(t *testing.T, data, log string, private map[checkout.Environment]string) {
	t.Helper()
	var stored strings.Builder
	err := filepath.WalkDir(data, func(name string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(name)
		stored.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(stored.String(), "BEGIN PUBLIC KEY") {
		t.Fatal("the search does not find the public keys")
	}
	for env, key := range private {
		der, err := base64.StdEncoding.DecodeString(key)
		if block, _ := pem.Decode([]byte(key)); block != nil {
			der, err = block.Bytes, nil
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{string(der[100:200]), base64.StdEncoding.EncodeToString(der[300:360]), base64.StdEncoding.EncodeToString(der[900:960])} {
			if strings.Contains(stored.String(), secret) || strings.Contains(log, secret) {
				t.Errorf("the private key of %s is stored or logged", env)
			}
		}
	}
}

// TestKeyRotation: while a merchant's programs send requests, a rotation refuses none of them as long as they change keys before
// the old one ends; then the old key is refused. A revoked key is refused at once.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	data := initialise(t)
	merchantID := makeMerchant(t, data, "Acme").Merchant.ID
	store := stock(t, data, merchantID, 1)[0].Store.ID
	first := makeKey(t, data, merchantID, checkout.Test, "--name", "server")
	server, _, url := serveOn(t, data)

	var current atomic.Pointer[demo.Client]
	current.Store(signer(t, url, merchantID, first.PrivateKey))
	load := startTraffic(t, func() error {
		_, err := current.Load().IssueToken(store)
		return err
	})
	load.waitFor(t, 50)
	rotated := operateJSON[madeKey](t, "key", "rotate", first.Key.ID, "--after", "5s", "--data", data)
	if rotated.Key.Environment != checkout.Test || rotated.Key.Name != "server" || rotated.Old.State != admin.KeyEnding || rotated.Old.EndsAt == nil {
		t.Fatalf("rotated %+v", rotated)
	}
	load.waitFor(t, 50) // with the old key
	old := current.Swap(signer(t, url, merchantID, rotated.PrivateKey))
	load.waitFor(t, 50)
	time.Sleep(time.Until(*rotated.Old.EndsAt))
	if _, err := old.IssueToken(store); statusOf(t, err) != 401 {
		t.Errorf("the old key after its end: %v", err)
	}
	load.waitFor(t, 50)
	if refused := load.stop(); refused > 0 {
		t.Errorf("the rotation refused %d requests", refused)
	}

	// The revocation is answered when it holds: no request that begins later is accepted.
	var revoked atomic.Bool
	var late atomic.Int64
	load = startTraffic(t, func() error {
		after := revoked.Load()
		_, err := current.Load().IssueToken(store)
		if err == nil && after {
			late.Add(1)
		}
		return err
	})
	load.waitFor(t, 50)
	operate(t, "key", "revoke", rotated.Key.ID, "--data", data)
	revoked.Store(true)
	load.waitFor(t, 50)
	if refused := load.stop(); refused < 50 || late.Load() > 0 {
		t.Errorf("after the revocation %d requests were refused and %d accepted", refused, late.Load())
	}
	server.Process.Kill() // what was answered is durable
	server.Wait()
	keys := operateJSON[[]admin.Key](t, "key", "list", "--data", data)
	if len(keys) != 2 || keys[0].State != admin.KeyEnded || keys[1].State != admin.KeyRevoked {
		t.Errorf("at last %+v", keys)
	}
}

// TestOwnKey: a merchant's own pair, whose private key crepe never sees, works with the real SDK. A private key by mistake is refused.
func TestOwnKey(t *testing.T) {
	t.Parallel()
	sdk, data, dir := npmInstall(t, "testdata/sdk"), t.TempDir(), t.TempDir()
	_, log, url := serveOn(t, data)
	merchantID := makeMerchant(t, data, "Acme").Merchant.ID
	storeID := environmentOf(operate(t, "store", "create", "--name", "Field Notes", "--data", data))["WAFFO_STORE_ID"]
	pair, err := rsa.GenerateKey(rand.Reader, 3072)
	must(t, err)
	private := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(pair)})
	public := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&pair.PublicKey)})
	must(t, os.WriteFile(filepath.Join(dir, "private.pem"), private, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "public.pem"), public, 0o600))

	refused(t, nil, "it is a private key, which its owner gives to nobody", "key", "create", "--env", "test", "--public-key", filepath.Join(dir, "private.pem"), "--data", data)
	made := makeKey(t, data, merchantID, checkout.Test, "--public-key", filepath.Join(dir, "public.pem"))
	if made.PrivateKey != "" || made.File != "" || !strings.HasPrefix(made.Key.PublicKey, "-----BEGIN PUBLIC KEY-----") {
		t.Errorf("made %+v", made)
	}
	refused(t, nil, "has this public key already, as "+made.Key.ID+" in test", "key", "create", "--env", "prod", "--public-key", filepath.Join(dir, "public.pem"), "--data", data)
	script := exec.Command("node", filepath.Join(sdk, "account.mjs"))
	script.Env = append(os.Environ(), "WAFFO_MERCHANT_ID="+merchantID, "WAFFO_STORE_ID="+storeID, "WAFFO_BASE_URL="+url, "WAFFO_PRIVATE_KEY="+string(private))
	if output, err := script.CombinedOutput(); err != nil || !strings.Contains(string(output), `"sessionId":"cs_`) {
		t.Errorf("%v: %s", err, output)
	}

	// The same from standard input, as the successor of the first.
	next, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	rotate := exec.Command(binary.path, "key", "rotate", made.Key.ID, "--public-key", "-", "--json", "--data", data)
	rotate.Stdin = strings.NewReader(string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&next.PublicKey)})))
	var rotated madeKey
	if output, err := rotate.Output(); err != nil || json.Unmarshal(output, &rotated) != nil || rotated.Old.State != admin.KeyEnding || rotated.PrivateKey != "" {
		t.Errorf("%v: %s", err, output)
	}
	if strings.Contains(log.String(), "BEGIN") {
		t.Errorf("the log has a key: %s", log)
	}
}

// TestKeyNotPrinted: if the private key cannot be printed, the error says how to end the key; a file that cannot be registered is removed.
func TestKeyNotPrinted(t *testing.T) {
	t.Parallel()
	data := initialise(t)
	missing := filepath.Join(t.TempDir(), "key.pem")
	refused(t, nil, "there is no merchant yet", "key", "create", "--env", "test", "--out", missing, "--data", data)
	if _, err := os.Stat(missing); !os.IsNotExist(err) {
		t.Errorf("the file of a key that was refused: %v", err)
	}
	makeMerchant(t, data, "Acme")
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if os.IsNotExist(err) {
		t.Skip("this system has no /dev/full, which only Linux and a few others have")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	var stderr strings.Builder
	c := exec.Command(binary.path, "key", "create", "--env", "test", "--data", data)
	c.Stdout, c.Stderr = full, &stderr
	if err := c.Run(); err == nil {
		t.Fatal("a full disk is no error")
	}
	keys := operateJSON[[]admin.Key](t, "key", "list", "--data", data)
	if len(keys) != 1 || !strings.Contains(stderr.String(), "end the key: crepe key revoke "+keys[0].ID+" --data "+data+"\n") {
		t.Errorf("%+v: %s", keys, &stderr)
	}
}

// traffic sends requests until it is stopped.
type traffic struct {
	sent, refused atomic.Int64
	done          chan struct{}
	workers       sync.WaitGroup
}

func startTraffic(t *testing.T, send func() error) *traffic {
	l := &traffic{done: make(chan struct{})}
	for range 4 {
		l.workers.Go(func() {
			for {
				select {
				case <-l.done:
					return
				default:
				}
				if statusOf(t, send()) == 401 {
					l.refused.Add(1)
				}
				l.sent.Add(1)
			}
		})
	}
	return l
}

// waitFor waits until n more requests have been answered that began later than now.
func (l *traffic) waitFor(t *testing.T, n int64) {
	t.Helper()
	want := l.sent.Load() + n + 4
	shoptest.Eventually(t, "requests are answered", func() bool { return l.sent.Load() >= want })
}

// stop ends the load and returns how many requests were refused with a 401.
func (l *traffic) stop() int64 {
	close(l.done)
	l.workers.Wait()
	return l.refused.Load()
}

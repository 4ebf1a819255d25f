package hosts

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/http-wasm/http-wasm-host-go/api"
	"github.com/http-wasm/http-wasm-host-go/handler"
	wasm "github.com/http-wasm/http-wasm-host-go/handler/nethttp"
	"github.com/tetratelabs/wazero"

	"github.com/crepe-checkout/crepe/wasm/plugins"
	"github.com/crepe-checkout/crepe/wasm/plugins/hosts/gate"
	"github.com/crepe-checkout/crepe/wasm/plugins/hosts/prove"
)

// openPlugin returns the plugin in http-wasm's host, before another handler.
func openPlugin(config string, next http.Handler, log api.Logger) (http.Handler, error) {
	m, err := wasm.NewMiddleware(context.Background(), plugins.HTTPWasm, handler.GuestConfig([]byte(config)), handler.Logger(log))
	if err != nil {
		return nil, err
	}
	return m.NewHandler(context.Background(), next), nil
}

// TestGateway runs the plugin in http-wasm's own host for Go.
func TestGateway(t *testing.T) {
	prove.Run(t, func(t testing.TB, config, origin string) string {
		t.Helper()
		server, err := gate.Serve(func(config string, next http.Handler) (http.Handler, error) {
			return openPlugin(config, next, api.NoopLogger{})
		}, gate.Order{Config: config, Origin: origin})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(server.Close)
		return server.URL
	})
}

var gateways = flag.String("gateways", "dapr", "the gateways that TestGateways compiles, of dapr and traefik; Traefik takes minutes")

// TestGateways runs the plugin in programs of gateways.
func TestGateways(t *testing.T) {
	for _, name := range strings.Fields(*gateways) {
		t.Run(name, func(t *testing.T) { inProgram(t, name) })
	}
}

// inProgram runs the plugin in a gateway's program.
func inProgram(t *testing.T, name string) {
	program := filepath.Join(t.TempDir(), name)
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Dir = name
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	command := exec.Command(program)
	orders, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	urls, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		orders.Close()
		if err := command.Wait(); err != nil {
			t.Error(err)
		}
	})
	lines := bufio.NewScanner(urls)
	prove.Run(t, func(t testing.TB, config, origin string) string {
		t.Helper()
		if err := json.NewEncoder(orders).Encode(gate.Order{Config: config, Origin: origin}); err != nil {
			t.Fatal(err)
		}
		if !lines.Scan() {
			t.Fatal(name, "has ended")
		}
		return lines.Text()
	})
}

// TestMemory checks how much memory an instance takes after the longest bodies and many others. It has 8 MiB at most, and would trap without.
func TestMemory(t *testing.T) {
	for maxBody, limit := range map[int]uint32{8 << 10: 640 << 10, 64 << 10: 5 << 20} {
		r := wazero.NewRuntime(t.Context())
		m, err := wasm.NewMiddleware(t.Context(), plugins.HTTPWasm, handler.GuestConfig(fmt.Appendf(nil, `{"maxBody":%d}`, maxBody)),
			handler.Runtime(func(context.Context) (wazero.Runtime, error) { return r, nil }))
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close(t.Context())
		h := m.NewHandler(t.Context(), drain)
		bodies := prove.Longest("cs_1", maxBody)
		for range 10_000 {
			bodies = append(bodies, []byte(order))
		}
		size := uint32(0)
		for i, body := range bodies {
			if w := serve(h, string(body)); w.Code != 200 && w.Code != 400 {
				t.Errorf("%.80s…: status %d: %s", body, w.Code, w.Body)
			}
			if i < 20 {
				size = max(size, largest(r))
			}
		}
		t.Logf("%d bytes after bodies of %d", size, maxBody)
		if size == 0 || size > limit {
			t.Errorf("%d bytes after bodies of %d, want at most %d", size, maxBody, limit)
		}
	}
}

// largest is the size of the largest instance. They have numbers for names, and the pool forgets some.
func largest(r wazero.Runtime) (size uint32) {
	for i := range 100 {
		if instance := r.Module(strconv.Itoa(i)); instance != nil {
			size = max(size, instance.Memory().Size())
		}
	}
	return size
}

// messages is a log.
type messages struct {
	sync.Mutex
	all []string
}

func (m *messages) IsEnabled(api.LogLevel) bool { return true }

func (m *messages) Log(_ context.Context, level api.LogLevel, message string) {
	m.Lock()
	defer m.Unlock()
	m.all = append(m.all, fmt.Sprintf("%d %s", level, message))
}

// TestLog checks what the plugin logs: the codes of a refusal that is only reported, without the buyer's data, and a wrong configuration.
func TestLog(t *testing.T) {
	for config, want := range map[string]string{
		`{"reportOnly":true}`: "0 create-order is refused: country-invalid business-name-required",
		`[]`:                  "2 the configuration is wrong, so every request is passed on: write {",
		``:                    "",
	} {
		log := new(messages)
		h, err := openPlugin(config, drain, log)
		if err != nil {
			t.Fatal(err)
		}
		serve(h, `{"checkoutSessionId":"cs_1","billingDetail":{"country":"XX","isBusiness":true}}`)
		if got := strings.Join(log.all, "\n"); !strings.HasPrefix(got, want) || (want == "") != (got == "") {
			t.Errorf("%s: the log has %q, want %q", config, got, want)
		}
	}
}

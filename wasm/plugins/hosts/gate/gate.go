// Package gate is the main loop of programs that run a plugin in a gateway, for the tests of package prove. It is a module of its own, so
// that a gateway's module has the versions that the gateway requires, and no others.
package gate

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
)

// Order asks a program for a gateway.
type Order struct {
	Config string // the plugin's configuration
	Origin string // URL of the server behind the gateway
}

// Open returns a handler that runs the plugin with a configuration before another handler.
type Open func(config string, next http.Handler) (http.Handler, error)

// Run serves a gateway for each [Order] on standard input, a line of JSON, until that ends. It prints each gateway's URL.
func Run(open Open) {
	orders := json.NewDecoder(os.Stdin)
	for orders.More() {
		var o Order
		if err := orders.Decode(&o); err != nil {
			log.Fatal(err)
		}
		server, err := Serve(open, o)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(server.URL)
	}
}

// Serve starts a gateway.
func Serve(open Open, o Order) (*httptest.Server, error) {
	target, err := url.Parse(o.Origin)
	if err != nil {
		return nil, err
	}
	handler, err := open(o.Config, &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:    &http.Transport{MaxIdleConnsPerHost: 8, DisableCompression: true},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	})
	if err != nil {
		return nil, err
	}
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(quiet{}, "", 0) // connections that a test breaks
	server.Start()
	return server, nil
}

type quiet struct{}

func (quiet) Write(p []byte) (int, error) { return len(p), nil }

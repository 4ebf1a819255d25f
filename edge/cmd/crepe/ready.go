package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/edge/server"
)

const readyUsage = `crepe ready requests /readyz of the server on this machine, for health checks. It exits with 1 unless the server takes orders.

Examples:
  crepe ready
  crepe ready --listen 127.0.0.1:9000

Settings:
`

// readyTimeout is how long a server may take to answer.
const readyTimeout = 5 * time.Second

// ready prints what /readyz answers. The error of a server that is not ready is its reason.
func ready(args []string, stdout io.Writer) error {
	f := newFlags("ready", readyUsage)
	listen := f.String("listen", "127.0.0.1:8787", "`address` that the server listens on (CREPE_LISTEN)")
	certificate := f.String("tls-cert", "", "certificate `file` of a server that serves HTTPS (CREPE_TLS_CERT)")
	config := configFlag(f)
	if err := parse(f, args, stdout); err != nil {
		return err
	}
	if err := loadSome(f, config, "listen", "tls-cert"); err != nil {
		return err
	}
	scheme := "http://"
	if *certificate != "" {
		scheme = "https://"
	}
	client := http.Client{Timeout: readyTimeout, Transport: &http.Transport{ // without a proxy
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} // the certificate has no name of the loopback, and the answer is no secret
	answer, err := client.Get(scheme + server.LocalAddress(*listen) + "/readyz")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = errors.New(strings.TrimSpace(string(body)))
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(stdout, string(body))
	return err
}

// Command dapr runs the plugin for gateways with Dapr's own middleware, as its component file declares it. It has to be started in the
// folder hosts; see package gate.
package main

import (
	"context"
	"fmt"
	"log"
	"maps"
	"net/http"
	"os"

	"github.com/dapr/components-contrib/metadata"
	"github.com/dapr/components-contrib/middleware"
	"github.com/dapr/components-contrib/middleware/http/wasm"
	"github.com/dapr/kit/logger"
	"gopkg.in/yaml.v3"

	"github.com/crepe-checkout/crepe/wasm/plugins/hosts/gate"
)

func main() {
	if err := os.Chdir("../httpwasm"); err != nil { // the url in the file is relative
		log.Fatal(err)
	}
	properties, err := component("dapr.yaml")
	if err != nil {
		log.Fatal(err)
	}
	quiet := logger.NewLogger("crepe")
	quiet.SetOutputLevel(logger.FatalLevel)
	open := func(properties map[string]string, next http.Handler) (http.Handler, error) {
		m := middleware.Metadata{Base: metadata.Base{Name: "crepe-checkout", Properties: properties}}
		wrap, err := wasm.NewMiddleware(quiet).GetHandler(context.Background(), m)
		if err != nil {
			return nil, err
		}
		return wrap(next), nil
	}
	if _, err := open(properties, http.NotFoundHandler()); err != nil {
		log.Fatal(err)
	}
	gate.Run(func(config string, next http.Handler) (http.Handler, error) {
		own := maps.Clone(properties)
		own["guestConfig"] = config
		return open(own, next)
	})
}

// component returns the metadata of a component's file.
func component(file string) (map[string]string, error) {
	var c struct {
		Kind string
		Spec struct {
			Type     string
			Metadata []struct{ Name, Value string }
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if err := yaml.Unmarshal(text, &c); err != nil {
		return nil, err
	}
	if c.Kind != "Component" || c.Spec.Type != "middleware.http.wasm" {
		return nil, fmt.Errorf("%s is a %s of type %s", file, c.Kind, c.Spec.Type)
	}
	properties := map[string]string{}
	for _, m := range c.Spec.Metadata {
		properties[m.Name] = m.Value
	}
	return properties, nil
}

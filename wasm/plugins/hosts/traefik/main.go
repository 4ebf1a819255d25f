// Command traefik runs the plugin for gateways with Traefik's own loader of local plugins. It has to be started in the folder hosts; see
// package gate.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"path/filepath"

	"github.com/rs/zerolog"
	"github.com/traefik/traefik/v3/pkg/plugins"

	"github.com/crepe-checkout/crepe/wasm/plugins/hosts/gate"
)

const module = "github.com/crepe-checkout/crepe/wasm/plugins/httpwasm"

func main() {
	zerolog.SetGlobalLevel(zerolog.FatalLevel)
	work, err := os.MkdirTemp("", "traefik")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(work)
	builder, err := load(work)
	if err != nil {
		log.Fatal(err)
	}
	gate.Run(func(config string, next http.Handler) (http.Handler, error) {
		members := map[string]any{}
		if config != "" && json.Unmarshal([]byte(config), &members) != nil {
			log.Fatalf("%s is no object", config)
		}
		constructor, err := builder.Build("crepe", members, "checkout@file")
		if err != nil {
			return nil, err
		}
		return constructor(context.Background(), next)
	})
}

// load copies the plugin's folder to where Traefik looks for local plugins when it is started in the folder work, and loads it as Traefik
// does. Traefik reads the module again for each middleware.
func load(work string) (*plugins.Builder, error) {
	if err := os.CopyFS(filepath.Join(work, "plugins-local", "src", filepath.FromSlash(module)), os.DirFS("../httpwasm")); err != nil {
		return nil, err
	}
	if err := os.Chdir(work); err != nil {
		return nil, err
	}
	local := map[string]plugins.LocalDescriptor{"crepe": {ModuleName: module}}
	if err := plugins.SetupLocalPlugins(local); err != nil {
		return nil, err
	}
	return plugins.NewBuilder(nil, nil, local)
}

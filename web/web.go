// Package web holds what the hosted page needs in the browser: the built script, its style sheet and the WebAssembly core,
// each as an [Asset]; and the client that pages of others import.
//
// The files lie in dist, made by build.sh from src and wasm/checkout.wasm and committed like generated code. Their names
// carry a hash of their content, so that a browser may keep them for ever, and a page links the very files that it was
// built with.
package web

import (
	"embed"
	"encoding/json"
	"path"
	"strings"
)

//go:embed dist
var dist embed.FS

// Prefix is where the assets are served, "/assets/".
const Prefix = "/assets/"

// Asset is one file in the forms in which browsers fetch it. It is shared: nobody may write to its bytes.
type Asset struct {
	URL         string // path with the content's hash, "/assets/checkout-0a1b2c3d4e5f6071.js"
	Integrity   string // for an integrity attribute, "sha384-…"
	ContentType string

	plain, brotli, gzip []byte
}

var byName, byURL = load()

// Named is the asset that the sources call name: "checkout.js", "checkout.css", "checkout.wasm" or "client.js". It
// panics on any other.
func Named(name string) *Asset {
	asset, ok := byName[name]
	if !ok {
		panic("web: no asset is called " + name)
	}
	return asset
}

// Open finds the asset with a URL, of this build only.
func Open(url string) (*Asset, bool) {
	asset, ok := byURL[url]
	return asset, ok
}

// Encoded is the content in the smallest form that a client takes, given its Accept-Encoding, and that form's
// Content-Encoding, empty for the content as it is.
func (a *Asset) Encoded(accept string) (content []byte, encoding string) {
	switch {
	case Accepts(accept, "br"):
		return a.brotli, "br"
	case Accepts(accept, "gzip"):
		return a.gzip, "gzip"
	default:
		return a.plain, ""
	}
}

// Accepts reads an Accept-Encoding (RFC 9110 §12.5.3) for one coding, "gzip". It counts only if it is named: "*" is not
// worth a guess.
func Accepts(header, coding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), coding) {
			q, weighted := strings.CutPrefix(strings.TrimSpace(weight), "q=")
			return !weighted || strings.Trim(q, "0.") != ""
		}
	}
	return false
}

func load() (byName, byURL map[string]*Asset) {
	var manifest map[string]struct{ File, Integrity string }
	if err := json.Unmarshal(read("manifest.json"), &manifest); err != nil {
		panic("web: " + err.Error())
	}
	byName, byURL = map[string]*Asset{}, map[string]*Asset{}
	for name, entry := range manifest {
		asset := &Asset{
			URL: Prefix + entry.File, Integrity: entry.Integrity, ContentType: contentTypes[path.Ext(name)],
			plain: read(entry.File), brotli: read(entry.File + ".br"), gzip: read(entry.File + ".gz"),
		}
		byName[name], byURL[asset.URL] = asset, asset
	}
	return byName, byURL
}

var contentTypes = map[string]string{
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".wasm": "application/wasm",
}

// read panics on a file that the manifest promises and the binary lacks: it was built from a broken tree.
func read(name string) []byte {
	content, err := dist.ReadFile("dist/" + name)
	if err != nil {
		panic("web: " + err.Error())
	}
	return content
}

// Package web embeds the browser files of the hosted page, each as an [Asset]: scripts, style sheet and WebAssembly core, and the
// client for merchants' own pages.
//
// build.sh builds the files in dist from src and wasm/checkout.wasm; they are committed like generated code. Their names contain
// a hash of their content, so they are immutable to caches. The README describes the page.
package web

import (
	"embed"
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strings"
)

//go:embed dist
var dist embed.FS

// Prefix is the URL path of the assets.
const Prefix = "/assets/"

// Asset is a file in all its encodings. It is shared and read-only.
type Asset struct {
	URL         string // path with the content's hash, "/assets/checkout-0a1b2c3d4e5f6071.js"
	Name        string // of the source, "checkout.js"
	Integrity   string // for an integrity attribute, "sha384-…"
	ContentType string

	// Purpose says what the file does, and Justification why a page needs it: the inventory of PCI DSS 4.0.1, requirement 6.4.3.
	Purpose, Justification string

	plain, brotli, gzip []byte
}

var byName, byURL = load()

// Named returns the asset with a source name: "checkout.js", "checkout.css", "dashboard.css", "receipt.css", "checkout.wasm",
// "status.js" or "client.js". It panics on any other.
func Named(name string) *Asset {
	asset, ok := byName[name]
	if !ok {
		panic("web: no asset is called " + name)
	}
	return asset
}

// All returns the assets, sorted by name.
func All() []*Asset {
	return slices.SortedFunc(maps.Values(byName), func(a, b *Asset) int { return strings.Compare(a.Name, b.Name) })
}

// Open returns the asset with a URL of this build.
func Open(url string) (*Asset, bool) {
	asset, ok := byURL[url]
	return asset, ok
}

// Encoded returns the content in the smallest encoding that an Accept-Encoding header allows, and its Content-Encoding, "" for
// none. The caller must not modify the content.
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

// Accepts reports whether an Accept-Encoding header (RFC 9110 §12.5.3) names a coding such as "gzip" with a weight above 0. It
// ignores "*".
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
	var manifest map[string]struct{ File, Integrity, Purpose, Justification string }
	if err := json.Unmarshal(read("manifest.json"), &manifest); err != nil {
		panic("web: " + err.Error())
	}
	byName, byURL = map[string]*Asset{}, map[string]*Asset{}
	for name, entry := range manifest {
		asset := &Asset{
			URL: Prefix + entry.File, Name: name, Integrity: entry.Integrity, ContentType: contentTypes[path.Ext(name)],
			Purpose: entry.Purpose, Justification: entry.Justification,
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

// read panics if a file of the manifest is missing, which means that dist is incomplete.
func read(name string) []byte {
	content, err := dist.ReadFile("dist/" + name)
	if err != nil {
		panic("web: " + err.Error())
	}
	return content
}

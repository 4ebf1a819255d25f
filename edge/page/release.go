package page

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/crepe-checkout/crepe/web"
)

// Release identifies the pages of this build: a hash of their templates, headers and assets. Every page names it.
var Release = sync.OnceValue(func() string {
	hash := sha256.New()
	err := fs.WalkDir(templateFiles, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := templateFiles.ReadFile(name)
		fmt.Fprintf(hash, "%s %d\n%s", name, len(text), text)
		return err
	})
	if err != nil {
		panic(err) // the files are embedded
	}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		fmt.Fprintln(hash, name, headers[name])
	}
	fmt.Fprintln(hash, Policy(nil, nil, nil))
	for _, asset := range web.All() {
		fmt.Fprintln(hash, asset.URL, asset.Integrity)
	}
	return hex.EncodeToString(hash.Sum(nil)[:6])
})

// Headers returns the headers of every page, except for its Content-Security-Policy.
func Headers() map[string]string { return maps.Clone(headers) }

// Policy returns the Content-Security-Policy of the pages of a store: pay are the origins of the payment providers' pages, images those of the
// store's logos and products' images on other hosts, frames those that may show the checkout in a frame.
func Policy(pay, images, frames []string) string {
	p := policy{pay: pay, images: images, frames: frames}
	return p.String()
}

// Theme returns the style sheet of a store's colours by its path. Only the path of a theme that a page can have is found.
func Theme(path string) (css string, found bool) {
	s, found := themeSettings(path)
	if !found {
		return "", false
	}
	return themeCSS(s), true
}

// IsTheme reports whether a path is that of a store's style sheet.
func IsTheme(path string) bool { return strings.HasPrefix(path, themePrefix) }

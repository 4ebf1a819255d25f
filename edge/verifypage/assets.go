package verifypage

import (
	"context"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"net/http"

	"github.com/crepe-checkout/crepe/edge/page"
	"github.com/crepe-checkout/crepe/web"
)

// loaded are the assets that hosted pages load, and the client for merchants' own pages.
var loaded = []string{"checkout.js", "checkout.css", "checkout.wasm", "status.js", "client.js"}

// assets compares the files of the page with this release's.
func (v *verification) assets(ctx context.Context) {
	for _, name := range loaded {
		asset := web.Named(name)
		v.file(ctx, asset.URL, asset.ContentType, asset.Integrity)
	}
	for _, path := range v.themes {
		css, found := page.Theme(path)
		if !found {
			v.differs("style "+path, path, "a style that this release makes", doContent)
			continue
		}
		v.file(ctx, path, "text/css; charset=utf-8", integrity([]byte(css)))
	}
}

// file compares one file.
func (v *verification) file(ctx context.Context, path, contentType, want string) {
	what := "file " + path
	r, err := v.load(ctx, v.base.Scheme+"://"+v.base.Host+path)
	switch {
	case err != nil:
		v.differs(what, err.Error(), want, doMissing)
	case r.status != http.StatusOK:
		v.differs(what, fmt.Sprint("status ", r.status), want, doMissing)
	default:
		v.compare(what, integrity(r.body), want, doContent)
		v.compare("header Content-Type of "+path, joined(r.header.Values("Content-Type")), contentType, doProxy)
		v.compare("header X-Content-Type-Options of "+path, joined(r.header.Values("X-Content-Type-Options")), "nosniff", doProxy)
		v.noForeign(path, r.header)
	}
}

func integrity(content []byte) string {
	digest := sha512.Sum384(content)
	return "sha384-" + base64.StdEncoding.EncodeToString(digest[:])
}

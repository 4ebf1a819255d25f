package page

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"sync"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/plugins"
)

// rulesPrefix is the path of the modules of stores' own rules, /rules/<store>/<version>/<digest>.wasm, as they run at the server. The digest in
// the path makes the files immutable to caches.
const rulesPrefix = "/rules/"

// Rules reads the stores' own rules. Its methods are those of [plugins.Store].
type Rules interface {
	Rules(ctx context.Context, storeID string) (*plugins.Rules, error)
	RuleContent(ctx context.Context, storeID string, number int) (*plugins.Content, error)
}

// rules are what the script needs of the store's rules: it asks the server for the total, or runs their module.
type rules struct {
	Module string `json:"module,omitempty"` // URL; "" for rules that do not run in the page
	Fuel   int64  `json:"fuel"`             // of each call
	Draft  any    `json:"draft,omitempty"`  // what the module gets, without the buyer
}

// draft is the input of a module, without the buyer.
type draft struct {
	plugins.Terms
	Config json.RawMessage `json:"config"`
}

// rules returns what the script needs of the published rules, nil for a store without. If they cannot be read, the buyer hears of them when
// ordering.
func (h *Handler) rules(v *visit) *rules {
	if h.config.Rules == nil {
		return nil
	}
	r, err := h.readRules(v)
	if err != nil {
		h.config.Log.WarnContext(v.ctx, "the page does not know the store's rules", "store", v.store.ID, "error", err)
	}
	return r
}

func (h *Handler) readRules(v *visit) (*rules, error) {
	all, err := h.config.Rules.Rules(v.ctx, v.store.ID)
	if err != nil {
		return nil, err
	}
	version := all.Published(v.session.Environment)
	switch {
	case version == nil:
		return nil, nil
	case !version.InPage:
		return &rules{}, nil
	}
	content, err := h.config.Rules.RuleContent(v.ctx, v.store.ID, version.Number)
	if err != nil {
		return &rules{}, err
	}
	terms := plugins.TermsOf(v.session.Environment, v.store.ID, v.session.Product.ID, &v.session.Terms)
	path := rulesPrefix + v.store.ID + "/" + strconv.Itoa(version.Number) + "/" + version.Digest + ".wasm"
	return &rules{path, plugins.Fuel, draft{terms, content.Config}}, nil
}

// serveRules serves the module of a rule that runs in the page.
func (h *Handler) serveRules(ctx context.Context, request *fasthttp.RequestCtx, path string) {
	module, err := h.module(ctx, strings.TrimPrefix(path, rulesPrefix))
	switch {
	case errors.Is(err, plugins.ErrNotFound) || !request.IsGet() && !request.IsHead():
		h.show(request, fasthttp.StatusNotFound, "message", notFound(request))
	case err != nil:
		h.fail(request, err)
	default:
		request.Response.Header.Set(fasthttp.HeaderCacheControl, "public, max-age=31536000, immutable")
		request.SetContentType("application/wasm")
		request.Response.SetBodyRaw(module)
	}
}

// module returns the module of a path below rulesPrefix, or [plugins.ErrNotFound].
func (h *Handler) module(ctx context.Context, path string) ([]byte, error) {
	storeID, rest, _ := strings.Cut(path, "/")
	text, file, _ := strings.Cut(rest, "/")
	number, err := strconv.Atoi(text)
	if h.config.Rules == nil || err != nil {
		return nil, plugins.ErrNotFound
	}
	all, err := h.config.Rules.Rules(ctx, storeID)
	if err != nil {
		return nil, err
	}
	version := all.Version(number)
	if version == nil || !version.InPage || file != version.Digest+".wasm" {
		return nil, plugins.ErrNotFound
	}
	return h.metered.get(version.Digest, func() ([]byte, error) {
		content, err := h.config.Rules.RuleContent(ctx, storeID, number)
		if err != nil {
			return nil, err
		}
		return plugins.Meter(content.Module)
	})
}

// maxMetered is how many modules with their meters are kept. Each has at most 1 MiB, and usually a hundredth.
const maxMetered = 32

// metered keeps modules with their meters by digest. It forgets all when it is full.
type metered struct {
	mutex   sync.Mutex
	modules map[string][]byte
}

// get returns a module that is kept, otherwise what instrument returns; one at a time, so that requests cannot take more processors.
func (m *metered) get(digest string, instrument func() ([]byte, error)) ([]byte, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if module := m.modules[digest]; module != nil {
		return module, nil
	}
	module, err := instrument()
	if err != nil {
		return nil, err
	}
	if m.modules == nil || len(m.modules) >= maxMetered {
		m.modules = make(map[string][]byte)
	}
	m.modules[digest] = module
	return module, nil
}

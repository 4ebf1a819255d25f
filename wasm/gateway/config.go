package gateway

import (
	"strconv"
	"strings"

	"github.com/crepe-checkout/crepe/wasm/ops"
)

// Config is the configuration of a gateway's plugin.
type Config struct {
	// Paths are the request targets that are examined, byte for byte as on the request line: those of create-order as the gateway's
	// clients write them.
	Paths []string

	// MaxBody is the longest body that is examined, in bytes: 1 to [ops.MaxInput], the API's own limit. The default is 8 KiB, which is
	// several times the longest request of a buyer. The memory of a plugin's instance grows with it, to about sixty times as much.
	MaxBody int

	// ReportOnly logs refusals and passes every request on.
	ReportOnly bool

	// Origins are origins of pages of other sites that may read a refusal: those that the store lists. A request of a page of another
	// origin is passed on, because the API knows whether the store lists it.
	Origins []string
}

// CreateOrder is the path of create-order, and the default of [Config].Paths.
const CreateOrder = "/v1/actions/onetime-order/create-order"

const defaultMaxBody = 8 << 10

// maxList is the greatest number of paths, and of origins.
const maxList = 64

// ParseConfig reads {"paths":["…"],"maxBody":8192,"reportOnly":false,"origins":["…"]}. Every member may be absent, and the text empty.
// Numbers and booleans may be strings, which is all that labels of a container can say. It reports false for anything else.
func ParseConfig(text string) (Config, bool) {
	c := Config{Paths: []string{CreateOrder}, MaxBody: defaultMaxBody}
	if text = strings.TrimSpace(text); text == "" || text == "null" {
		return c, true
	}
	maxBody, number := either(text, "maxBody", "0")
	reportOnly, boolean := either(text, "reportOnly", "?")
	var lists [2]string
	if !ops.Object(text, "paths[ origins[", lists[:]) || !number || !boolean {
		return c, false
	}
	paths, sound := list(lists[0])
	origins, alsoSound := list(lists[1])
	if len(paths) > 0 {
		c.Paths = paths
	}
	c.Origins = origins
	if maxBody != "" {
		n, err := strconv.Atoi(maxBody)
		if err != nil || n < 1 || n > ops.MaxInput {
			return c, false
		}
		c.MaxBody = n
	}
	c.ReportOnly = reportOnly == "true"
	return c, sound && alsoSound && (reportOnly == "" || reportOnly == "true" || reportOnly == "false")
}

// either returns a member that is of a type or a string with the same text.
func either(text, name, mark string) (string, bool) {
	var found [1]string
	ok := ops.Object(text, name+mark, found[:]) || ops.Object(text, name, found[:])
	return found[0], ok
}

// list returns the strings of an array, at most maxList.
func list(array string) ([]string, bool) {
	found := make([]string, maxList)
	n, ok := ops.Strings(array, found)
	return found[:min(n, maxList)], ok && n <= maxList
}

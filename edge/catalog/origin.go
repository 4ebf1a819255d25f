package catalog

import (
	"context"
	"strings"

	"github.com/crepe-checkout/crepe/core/checkout"
)

// ValidOrigin reports whether s is an origin that a store may list, in the one spelling that browsers send (HTML standard,
// "serialization of an origin"): https, or http on this very machine for a merchant who is still building; a host in lower
// case; a port only where it is not the scheme's own; nothing behind it.
func ValidOrigin(s string) bool {
	scheme, authority, _ := strings.Cut(s, "://")
	ownPort := scheme == "https" && strings.HasSuffix(authority, ":443") || scheme == "http" && strings.HasSuffix(authority, ":80")
	return checkout.ValidReturnURL(s, checkout.Test) && !strings.ContainsAny(authority, "/?#") && s == strings.ToLower(s) && !ownPort
}

// Origins finds what the stores list. It follows [Records.Put] at once.
type Origins interface {
	// OriginListed reports whether any store lists an origin, which must be a [ValidOrigin].
	OriginListed(ctx context.Context, origin string) (bool, error)
}

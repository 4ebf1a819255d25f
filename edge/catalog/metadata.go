package catalog

import (
	"unicode/utf8"

	"github.com/crepe-checkout/crepe/core/problem"
)

// The limits of metadata.
const (
	maxMetadata      = 50 // keys, as published
	maxMetadataKey   = 40 // characters
	MaxMetadataValue = 500
)

// ErrMetadata refuses metadata of a product or of a session.
var ErrMetadata = problem.New(problem.Invalid, "metadata-too-large", "/metadata",
	"metadata must have at most 50 keys of at most 40 characters, with values of at most 500")

// MetadataFits reports whether metadata has at most 50 keys of at most 40 characters, and no value longer than longest.
func MetadataFits[Value ~string](metadata map[string]Value, longest int) bool {
	for key, value := range metadata {
		if utf8.RuneCountInString(key) > maxMetadataKey || utf8.RuneCountInString(string(value)) > longest {
			return false
		}
	}
	return len(metadata) <= maxMetadata
}

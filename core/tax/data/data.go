// Package data has the tax table as it is maintained. Only package rulebook imports it. Package table has the packed rows,
// which its generator makes of these files.
package data

import "embed"

// Files has the tables, *.tsv.
//
//go:embed *.tsv
var Files embed.FS

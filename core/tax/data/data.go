// Package data is the tax table as people write and review it. Only package rulebook imports it: what computes reads the
// packed table, which package tax generates from these files.
package data

import "embed"

// Files are the tables, *.tsv.
//
//go:embed *.tsv
var Files embed.FS

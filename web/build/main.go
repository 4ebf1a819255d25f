// Command build builds the browser files of the hosted page. It bundles the TypeScript and the style sheet, copies the WebAssembly
// core, adds a content hash to each name, and compresses each file.
//
//	go run . <web directory> <output directory>            the page's files
//	go run . -packages <web directory> <output directory>  the scripts of the npm packages, without hash and compression
//
// Builds are reproducible. The compressors are pinned modules, because the standard library's output changes between Go versions.
package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/evanw/esbuild/pkg/api"
	"github.com/klauspost/compress/gzip"
)

// entry is an asset in the manifest, which package web reads. The manifest is the inventory of scripts as well.
type entry struct {
	File          string `json:"file"`
	Integrity     string `json:"integrity"`     // W3C Subresource Integrity
	Purpose       string `json:"purpose"`       // what it does
	Justification string `json:"justification"` // why a page needs it
}

// reasons are the purpose and the justification of each asset.
var reasons = map[string][2]string{
	"checkout.js": {"drives the form of the checkout page: shows the fields and the total of the buyer's country, creates the order, sends the buyer to the payment provider",
		"the buyer sees the tax and the total before ordering"},
	"checkout.wasm": {"the rules of package core: validates the billing details and computes the tax in the browser",
		"the browser shows what the server will decide, from the same source"},
	"checkout.css":  {"the look of the hosted pages", "without it the pages are plain HTML"},
	"status.js":     {"asks for the state of the order on the completion page, and tells a framing page of the merchant", "a payment may be decided after the buyer has returned"},
	"receipt.css":   {"the look of receipts and credit notes", "they are printed"},
	"dashboard.css": {"the look of the operator's dashboard, which has no script", "no buyer loads it"},
	"client.js":     {"creates orders and sessions from a merchant's own page", "only pages of a merchant that include it load it; no hosted page does"},
}

func main() {
	run, args := build, os.Args[1:]
	if len(args) > 0 && args[0] == "-packages" {
		run, args = packages, args[1:]
	}
	if len(args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: build [-packages] <web directory> <output directory>")
		os.Exit(2)
	}
	if err := run(args[0], args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func build(root, out string) error {
	files, err := bundle(root, []api.EntryPoint{
		{InputPath: "checkout.ts", OutputPath: "checkout"},
		{InputPath: "checkout.css", OutputPath: "checkout"},
		{InputPath: "dashboard.css", OutputPath: "dashboard"},
		{InputPath: "receipt.css", OutputPath: "receipt"},
		{InputPath: "status.ts", OutputPath: "status"},
		{InputPath: "client/served.ts", OutputPath: "client"},
	})
	if err != nil {
		return err
	}
	core, err := os.ReadFile(filepath.Join(root, "..", "wasm", "checkout.wasm"))
	if err != nil {
		return err
	}
	files["checkout.wasm"] = core
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	manifest := map[string]entry{}
	for name, content := range files {
		e := describe(name, content)
		if e.Purpose == "" {
			return fmt.Errorf("%s has no purpose: add it to reasons", name)
		}
		manifest[name] = e
		if err := write(filepath.Join(out, e.File), content); err != nil {
			return err
		}
	}
	list, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "manifest.json"), append(list, '\n'), 0o644)
}

// packages bundles the scripts of the npm packages.
func packages(root, out string) error {
	files, err := bundle(root, []api.EntryPoint{
		{InputPath: "client/index.ts", OutputPath: "client/index"},
		{InputPath: "core/core.ts", OutputPath: "core/index"},
	})
	if err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(out, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// engines are the oldest browsers that the script and the style sheet support. Older ones use the plain form.
var engines = []api.Engine{
	{Name: api.EngineChrome, Version: "123"},
	{Name: api.EngineFirefox, Version: "121"},
	{Name: api.EngineSafari, Version: "17.5"},
}

// bundle compiles entry points. Input paths are relative to src, names of the results to the output directory.
func bundle(root string, entries []api.EntryPoint) (map[string][]byte, error) {
	for i := range entries {
		entries[i].InputPath = filepath.Join(root, "src", entries[i].InputPath)
	}
	result := api.Build(api.BuildOptions{
		EntryPointsAdvanced: entries,
		Outdir:              "/",
		Bundle:              true,
		Format:              api.FormatESModule,
		Engines:             engines,
		MinifyWhitespace:    true,
		MinifyIdentifiers:   true,
		MinifySyntax:        true,
		LegalComments:       api.LegalCommentsNone,
		Charset:             api.CharsetUTF8,
		LogLevel:            api.LogLevelWarning,
	})
	if len(result.Errors) > 0 {
		return nil, errors.New("the sources do not compile")
	}
	files := map[string][]byte{}
	for _, f := range result.OutputFiles {
		files[strings.TrimPrefix(filepath.ToSlash(f.Path), "/")] = f.Contents
	}
	return files, nil
}

// describe returns the manifest entry of a file. Its name contains 64 bits of the content's hash.
func describe(name string, content []byte) entry {
	id, digest := sha256.Sum256(content), sha512.Sum384(content)
	stem, extension, _ := strings.Cut(name, ".")
	return entry{
		File:      stem + "-" + hex.EncodeToString(id[:8]) + "." + extension,
		Integrity: "sha384-" + base64.StdEncoding.EncodeToString(digest[:]),
		Purpose:   reasons[name][0], Justification: reasons[name][1],
	}
}

// write writes the file and its two compressed forms.
func write(path string, content []byte) error {
	var br, gz bytes.Buffer
	b := brotli.NewWriterLevel(&br, brotli.BestCompression)
	g, err := gzip.NewWriterLevel(&gz, gzip.BestCompression)
	if err != nil {
		return err
	}
	_, errB := b.Write(content)
	_, errG := g.Write(content)
	return errors.Join(errB, b.Close(), errG, g.Close(),
		os.WriteFile(path, content, 0o644),
		os.WriteFile(path+".br", br.Bytes(), 0o644),
		os.WriteFile(path+".gz", gz.Bytes(), 0o644))
}

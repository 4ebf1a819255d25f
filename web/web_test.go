package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"io"
	"os"
	"strings"
	"testing"
)

// TestAssets checks that URL, integrity and encodings in dist match the content. build.sh --check compares dist with the sources.
func TestAssets(t *testing.T) {
	for name, asset := range byName {
		plain, encoding := asset.Encoded("")
		if encoding != "" || len(plain) == 0 {
			t.Errorf("%s: %d bytes with encoding %q", name, len(plain), encoding)
		}
		hash, digest := sha256.Sum256(plain), sha512.Sum384(plain)
		if !strings.Contains(asset.URL, "-"+hex.EncodeToString(hash[:8])+".") {
			t.Errorf("%s: the hash in %s is of other content", name, asset.URL)
		}
		if asset.Integrity != "sha384-"+base64.StdEncoding.EncodeToString(digest[:]) {
			t.Errorf("%s: the integrity is of other content", name)
		}
		if asset.Purpose == "" || asset.Justification == "" {
			t.Errorf("%s is in the inventory of scripts without its purpose or justification", name)
		}
		if found, ok := Open(asset.URL); !ok || found != asset {
			t.Errorf("%s is not found under its URL", name)
		}
		reader, err := gzip.NewReader(bytes.NewReader(asset.gzip))
		if err != nil {
			t.Fatal(err)
		}
		if unpacked, err := io.ReadAll(reader); err != nil || !bytes.Equal(unpacked, plain) {
			t.Errorf("%s: gzip has other content (%v)", name, err)
		}
		if len(asset.brotli) >= len(asset.gzip) || len(asset.gzip) >= len(plain) {
			t.Errorf("%s: %d, gzip %d, brotli %d bytes", name, len(plain), len(asset.gzip), len(asset.brotli))
		}
	}
}

// TestInventory: dist has no file that the inventory does not have.
func TestInventory(t *testing.T) {
	files, err := dist.ReadDir("dist")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(strings.TrimSuffix(f.Name(), ".br"), ".gz")
		if _, known := Open(Prefix + name); !known && name != "manifest.json" {
			t.Errorf("%s is in no entry of manifest.json", f.Name())
		}
	}
}

// TestCoreIsCurrent checks that dist has the current wasm/checkout.wasm.
func TestCoreIsCurrent(t *testing.T) {
	built, err := os.ReadFile("../wasm/checkout.wasm")
	if err != nil {
		t.Fatal(err)
	}
	if embedded, _ := Named("checkout.wasm").Encoded(""); !bytes.Equal(built, embedded) {
		t.Error("dist has an older wasm/checkout.wasm: run web/build.sh")
	}
}

func TestEncoded(t *testing.T) {
	for _, c := range []struct{ accept, want string }{
		{"gzip, deflate, br, zstd", "br"},
		{"gzip, deflate", "gzip"},
		{"BR;q=1.0, gzip;q=0.8", "br"},
		{"br;q=0, gzip", "gzip"},
		{"br; q=0.000, gzip;q=0", ""},
		{"br;q=0.001", "br"},
		{"brotli, x-gzip", ""},
		{"identity", ""},
		{"*", ""},
		{"", ""},
	} {
		if _, got := Named("checkout.css").Encoded(c.accept); got != c.want {
			t.Errorf("Accept-Encoding: %s gets %q, want %q", c.accept, got, c.want)
		}
	}
}

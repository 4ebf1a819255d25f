package host

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/tetratelabs/wazero"
)

// cache keeps compiled modules in a folder, each beside its SHA-256: wazero runs what it reads, and a damaged file would end
// the process. An empty folder stands for memory.
type cache string

// compiled is the name that wazero gives to a file, in a folder of its version.
var compiled = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (c cache) sumOf(name string) string { return name + ".sha256" }

// open throws away what is damaged, so that it is compiled again.
func (c cache) open() (wazero.CompilationCache, error) {
	if c == "" {
		return wazero.NewCompilationCache(), nil
	}
	err := c.each(func(name string, sum []byte) error {
		if known, err := os.ReadFile(c.sumOf(name)); err == nil && bytes.Equal(known, sum) {
			return nil
		}
		return errors.Join(remove(name), remove(c.sumOf(name)))
	})
	if err != nil {
		return nil, err
	}
	return wazero.NewCompilationCacheWithDir(string(c))
}

// seal writes the checksums of what has been compiled since it was opened. A checksum that is cut short is a wrong one.
func (c cache) seal() error {
	if c == "" {
		return nil
	}
	return c.each(func(name string, sum []byte) error {
		if _, err := os.Stat(c.sumOf(name)); err == nil {
			return nil
		}
		return os.WriteFile(c.sumOf(name), sum, 0o600)
	})
}

// each visits the compiled modules. Another program may remove one meanwhile.
func (c cache) each(visit func(name string, sum []byte) error) error {
	names, err := fs.Glob(os.DirFS(string(c)), "wazero-*/*")
	for _, name := range names {
		if !compiled.MatchString(filepath.Base(name)) {
			continue
		}
		name = filepath.Join(string(c), name)
		content, readErr := os.ReadFile(name)
		if errors.Is(readErr, fs.ErrNotExist) {
			continue
		}
		sum := sha256.Sum256(content)
		if err = errors.Join(err, readErr, visit(name, sum[:])); err != nil {
			return err
		}
	}
	return err
}

func remove(name string) error {
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

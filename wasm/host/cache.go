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

// cache keeps compiled modules in a folder, each with its SHA-256. wazero executes what it reads, so a damaged file could
// crash the process. The empty string keeps them in memory.
type cache string

// compiled is wazero's pattern of file names, in a folder for its version.
var compiled = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (c cache) sumOf(name string) string { return name + ".sha256" }

// open deletes damaged files, so that they are compiled again.
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

// seal writes the checksums of the modules compiled since open. A truncated checksum counts as wrong.
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

// each visits the compiled modules. Another program may delete one meanwhile.
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

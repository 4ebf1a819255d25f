package durable

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
)

// Format is the version of Badger's files that this program reads and writes. Badger reads no other one.
const Format = 8

// manifestMagic begins Badger's MANIFEST. Two bytes of the application follow, and then the format in two bytes, big-endian.
var manifestMagic = []byte("Bdgr")

// FormatOf returns the format of Badger's files in a directory, which may be open elsewhere. The error is [os.ErrNotExist] if there are none.
func FormatOf(dir string) (int, error) {
	file, err := os.Open(filepath.Join(dir, badger.ManifestFilename))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	header := make([]byte, len(manifestMagic)+4)
	if _, err := io.ReadFull(file, header); err != nil || !bytes.HasPrefix(header, manifestMagic) {
		return 0, fmt.Errorf("%s does not begin as Badger's", file.Name())
	}
	return int(binary.BigEndian.Uint16(header[len(header)-2:])), nil
}

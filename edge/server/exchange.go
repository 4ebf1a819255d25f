package server

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"

	"github.com/crepe-checkout/crepe/edge/invoices"
)

// exchangeRates reads the file of exchange rates again when it has changed. It is safe for concurrent use.
type exchangeRates struct {
	file string
	log  *slog.Logger

	mutex sync.Mutex
	read  fs.FileInfo // of the file as it was read; nil at first
	rates *invoices.Rates
}

// maxExchangeRates is the largest file of exchange rates, in bytes.
const maxExchangeRates = 8 << 20

// openExchangeRates reads the file of exchange rates; nil for "".
func openExchangeRates(file string, log *slog.Logger) (*exchangeRates, error) {
	if file == "" {
		return nil, nil
	}
	e := &exchangeRates{file: file, log: log}
	if err := e.refresh(); err != nil {
		return nil, fmt.Errorf("--exchange-rates: %s: %w", file, err)
	}
	return e, nil
}

// Rates returns the rates of the file. While the file cannot be read they are those that it had before.
func (e *exchangeRates) Rates() *invoices.Rates {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if err := e.refresh(); err != nil {
		e.log.Error("the exchange rates are not read again: mend the file", "file", e.file, "error", err)
	}
	return e.rates
}

func (e *exchangeRates) refresh() error {
	file, err := os.Open(e.file)
	if err != nil {
		return err
	}
	defer file.Close()
	now, err := file.Stat()
	switch {
	case err != nil:
		return err
	case e.read != nil && os.SameFile(now, e.read) && now.ModTime().Equal(e.read.ModTime()) && now.Size() == e.read.Size():
		return nil
	case now.Size() > maxExchangeRates:
		return errors.New("the file is larger than 8 MiB")
	}
	rates, err := invoices.ParseRates(file)
	if err != nil {
		return err
	}
	e.read, e.rates = now, rates
	return nil
}

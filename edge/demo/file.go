package demo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
)

// FileName is the name of the [File] in the data directory.
const FileName = "dev.json"

// File holds all that a script needs to act as the demo merchant. crepe dev writes it when it is ready.
type File struct {
	BaseURL          string                          `json:"baseUrl"`
	MerchantID       string                          `json:"merchantId"`
	PrivateKey       map[checkout.Environment]string `json:"privateKey"`
	StoreID          string                          `json:"storeId"`
	StoreSlug        string                          `json:"storeSlug"`
	Products         []Product                       `json:"products"`
	WebhookPublicKey map[checkout.Environment]string `json:"webhookPublicKey"`
	CheckoutURL      string                          `json:"checkoutUrl"`
}

// Product is a product of the demo store.
type Product struct {
	ID   string               `json:"id"`
	Type checkout.ProductType `json:"type"`
	Name string               `json:"name"`
}

// errEmpty is the error for a file that a crash has left empty.
var errEmpty = errors.New("the file is empty")

// ReadFile reads the file of a data directory. The error of a missing file is [os.ErrNotExist].
func ReadFile(data string) (*File, error) {
	name := filepath.Join(data, FileName)
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if len(text) == 0 {
		return nil, fmt.Errorf("%s is damaged: %w", name, errEmpty)
	}
	file := new(File)
	if err := json.Unmarshal(text, file); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", name, err)
	}
	return file, nil
}

// write replaces the file of a data directory atomically. Only the user of this process can read it.
func (f *File) write(data string) error {
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	aside, err := os.CreateTemp(data, FileName+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = aside.Write(append(text, '\n'))
	err = errors.Join(err, aside.Sync(), aside.Close())
	if err == nil {
		err = os.Rename(aside.Name(), filepath.Join(data, FileName))
	}
	if err != nil {
		return errors.Join(err, os.Remove(aside.Name()))
	}
	return nil
}

package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/crepe-checkout/crepe/edge/admin"
)

// newKeyBits is the size of the keys that crepe generates.
const newKeyBits = 2048

// maxPublicKeyFile is the most that is read of a file with a public key, in bytes.
const maxPublicKeyFile = 16 << 10

// newKey is the key that a command gives to a merchant. The private part is generated in this process. It is printed or written to
// a file, and goes nowhere else: not to the server, and not into a log.
type newKey struct {
	out, from *string // --out, --public-key

	public  string // PEM
	private []byte // PKCS #8 in DER; nil where --public-key names the merchant's own
}

func declareNewKey(o *operation) *newKey {
	return &newKey{
		out: o.flags.String("out", "", "new `file` for the private key, in PEM, that only its owner can read (mode 0600); default: print the key"),
		from: o.flags.String("public-key", "", "`file` with the public key of a pair that the merchant has made, in PEM; - is standard input. "+
			"No private key is made then"),
	}
}

// register makes the key or reads its public part, writes --out, and calls do, which gives the public key to the server. If do
// fails, the file is removed.
func (k *newKey) register(o *operation, do func() error) error {
	if *k.from != "" {
		if *k.out != "" {
			return misuse(o.flags, "--out is for a private key that crepe makes; with --public-key it makes none")
		}
		if err := k.read(); err != nil {
			return err
		}
		return do()
	}
	if err := k.generate(); err != nil {
		return err
	}
	if *k.out == "" {
		return do()
	}
	if err := writeNew(*k.out, k.pem()); err != nil {
		return err
	}
	if err := do(); err != nil {
		return errors.Join(err, os.Remove(*k.out))
	}
	return nil
}

func (k *newKey) read() error {
	file := os.Stdin
	if *k.from != "-" {
		opened, err := os.Open(*k.from)
		if err != nil {
			return fmt.Errorf("--public-key: %w", err)
		}
		defer opened.Close()
		file = opened
	}
	text, err := io.ReadAll(io.LimitReader(file, maxPublicKeyFile))
	if err != nil {
		return fmt.Errorf("--public-key: %w", err)
	}
	k.public = string(text)
	return nil
}

func (k *newKey) generate() error {
	pair, err := rsa.GenerateKey(rand.Reader, newKeyBits)
	if err != nil {
		return err
	}
	spki, err := x509.MarshalPKIXPublicKey(&pair.PublicKey)
	if err != nil {
		return err
	}
	k.public = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}))
	k.private, err = x509.MarshalPKCS8PrivateKey(pair)
	return err
}

func (k *newKey) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: k.private})
}

// writeNew writes a file that must not exist, for its owner only.
func writeNew(name string, text []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("--out: %w; a file that exists is not overwritten", err)
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("--out: %w", err), os.Remove(name))
	}
	return nil
}

// createdKey is the answer of the commands that create a key, as JSON.
type createdKey struct {
	Key        admin.Key  `json:"key"`
	Old        *admin.Key `json:"old,omitempty"`        // of a rotation
	PrivateKey string     `json:"privateKey,omitempty"` // PKCS #8 in PEM; absent with --out and --public-key
	File       string     `json:"file,omitempty"`       // of the private key, with --out
}

// show prints a key that the server has. The private key is lost if that fails, so the error says how to end the key.
func (k *newKey) show(o *operation, key admin.Key, old *admin.Key) error {
	made := createdKey{Key: key, Old: old, File: *k.out}
	if k.private != nil && *k.out == "" {
		made.PrivateKey = string(k.pem())
	}
	var err error
	if *o.json {
		err = o.printJSON(made)
	} else {
		_, err = io.WriteString(o.stdout, k.text(made))
	}
	if err != nil && made.PrivateKey != "" {
		return fmt.Errorf("the private key of %s was not printed: %w\nend the key: crepe key revoke %[1]s%[3]s", key.ID, err, dataFlag(*o.data))
	}
	return err
}

// text is what a person reads, in the form of an .env file.
func (k *newKey) text(made createdKey) string {
	key := &made.Key
	text := fmt.Sprintf("# %s is a key of %s in %s.\n", key.ID, key.MerchantID, key.Environment)
	switch {
	case made.PrivateKey != "":
		text += "# The private key is printed this once and is not stored: keep it secret. It is PKCS #8 in base64, as the SDK takes it.\n" +
			"WAFFO_MERCHANT_ID=" + key.MerchantID + "\nWAFFO_PRIVATE_KEY=" + base64.StdEncoding.EncodeToString(k.private) + "\n"
	case made.File != "":
		text += "# The private key is in " + visibleText(made.File) + ", for its owner only.\nWAFFO_MERCHANT_ID=" + key.MerchantID + "\n"
	default:
		text += "# Sign with the private key of your pair.\nWAFFO_MERCHANT_ID=" + key.MerchantID + "\n"
	}
	switch {
	case made.Old == nil:
	case made.Old.State == admin.KeyRevoked:
		text += "\n# The old key " + made.Old.ID + " is revoked: what it signs is refused.\n"
	default:
		text += "\n# The old key " + made.Old.ID + " is accepted until " + when(made.Old.EndsAt) + ": change to the new key before.\n"
	}
	return text
}

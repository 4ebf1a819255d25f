package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"log/slog"

	"github.com/crepe-checkout/crepe/edge/server"
)

const rekeyUsage = `crepe rekey changes the encryption key of a data directory. Stop the server first. A key is a file of 32 random bytes in hexadecimal:
umask 077; openssl rand -hex 32 > crepe.key

Examples:
  crepe rekey --data /var/lib/crepe --encryption-key-file old.key --new-encryption-key-file new.key
      Takes a moment: the data stays encrypted with a key of its own, which the new key encrypts from now on.
  crepe rekey --data /var/lib/crepe --to /var/lib/crepe2 --new-encryption-key-file new.key
      Makes an encrypted copy of a directory that is not encrypted. With --encryption-key-file it copies an encrypted one, under a new
      key of the data; without --new-encryption-key-file the copy is not encrypted. Remove the old directory afterwards.

Settings:
`

// rekey changes the encryption key of a stopped server's directory, or copies it under another key.
func rekey(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	f := newFlags("rekey", rekeyUsage)
	data := f.String("data", "", "data `directory` of the stopped server (CREPE_DATA)")
	to := f.String("to", "", "`directory` of a copy, which must not exist; default: only the key is changed")
	var old, changed []byte
	encryptionKey(f, &old)
	secret(f, &changed, "new-encryption-key", parseKey, "the new key")
	config := configFlag(f)
	if err := parse(f, args, stdout); err != nil {
		return err
	}
	if err := loadSome(f, config, "data", "encryption-key-file", "new-encryption-key-file"); err != nil {
		return err
	}
	switch {
	case *data == "":
		return misuse(f, "--data DIR is needed")
	case *to != "":
		if err := server.CopyData(*data, old, *to, changed, log); err != nil {
			return err
		}
		fmt.Fprintf(stdout, "Copied to %s. Start the server with --data %[1]s, and remove %s when it works.\n", *to, *data)
	case old == nil || changed == nil:
		return misuse(f, "--encryption-key-file and --new-encryption-key-file are needed, or --to DIR for a copy")
	default:
		if err := server.Rekey(*data, old, changed); err != nil {
			return err
		}
		fmt.Fprintln(stdout, "Changed. Start the server with the new key; the old one opens the directory no more.")
	}
	return nil
}

// encryptionKey declares the key of the databases.
func encryptionKey(f *flag.FlagSet, key *[]byte) {
	secret(f, key, "encryption-key", parseKey, "the key that encrypts the databases; without it they are not encrypted")
}

// parseKey parses 32 bytes in hexadecimal or base64. Its error does not contain the text.
func parseKey(text string) ([]byte, error) {
	for _, decode := range []func(string) ([]byte, error){hex.DecodeString, base64.StdEncoding.DecodeString} {
		if key, err := decode(text); err == nil && len(key) == server.EncryptionKeySize {
			return key, nil
		}
	}
	return nil, fmt.Errorf("not a key: expected %d bytes in hexadecimal or base64; openssl rand -hex %[1]d makes one", server.EncryptionKeySize)
}

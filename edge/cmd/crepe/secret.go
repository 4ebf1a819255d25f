package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// fileSuffix ends the name of a flag, and of a key of the configuration file, that names the file of a secret.
const fileSuffix = "-file"

// secretNames are the secrets of crepe serve. dev and sandbox ignore those that are not theirs.
var secretNames = []string{"stripe-key", "stripe-webhook-secret", "stripe-test-key", "stripe-test-webhook-secret", "dashboard-token", "smtp-url", "store-password",
	"encryption-key", "new-encryption-key"}

// maxSecret is the longest file of a secret, in bytes.
const maxSecret = 64 << 10

// secret declares a secret. It is the text of the variable CREPE_NAME or of the file that the flag --NAME-file names, which is therefore
// also the variable CREPE_NAME_FILE and the key NAME-file of the configuration file. No flag has the secret itself, because lists of
// processes show flags. The errors of parse must not show the text. p stays as it is without a secret.
func secret[T any](f *flag.FlagSet, p *T, name string, parse func(string) (T, error), usage string) {
	f.Var(&secretValue[T]{p: p, state: notSet, parse: parse}, name+fileSuffix, fmt.Sprintf("`file` of %s; default: %s", usage, variable(name)))
}

// secretValue implements [secretFlag].
type secretValue[T any] struct {
	p     *T
	file  string
	state secretState
	parse func(string) (T, error)
}

type secretState string

const (
	notSet  secretState = "not set"
	isSet   secretState = "set"
	refused secretState = "refused"
)

// secretFlag is the value of a secret's flag. Its text is the name of the file.
type secretFlag interface {
	flag.Getter
	setSecret(text string) error
	status() secretState
}

func (v *secretValue[T]) String() string      { return v.file }
func (v *secretValue[T]) Get() any            { return v.file }
func (v *secretValue[T]) status() secretState { return v.state }

// Set reads the secret from a file; "" is none.
func (v *secretValue[T]) Set(file string) error {
	v.file = file
	if file == "" {
		return nil
	}
	text, err := readSecret(file)
	if err != nil {
		v.state = refused
		return err
	}
	if err := v.setSecret(text); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// setSecret checks a secret and sets it.
func (v *secretValue[T]) setSecret(text string) error {
	value, err := v.parse(text)
	if err != nil {
		v.state = refused
		return err
	}
	*v.p, v.state = value, isSet
	return nil
}

// readSecret reads a secret from a file, without the end of its line. Like ssh it refuses a file of this user that other users can read;
// root's may be readable by its group, as PostgreSQL allows. A file of another user is that of systemd or of a container, which give it the
// mode that they need.
func readSecret(file string) (string, error) {
	opened, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer opened.Close()
	info, err := opened.Stat()
	if err != nil {
		return "", err
	}
	if kind := info.Mode().Type(); kind != 0 && kind != fs.ModeNamedPipe {
		return "", fmt.Errorf("%s is not a file", file)
	}
	if exposed(info) {
		return "", fmt.Errorf("other users can read or change %s (its mode is %04o); to make it private: chmod 600 %[1]s", file, info.Mode().Perm())
	}
	text, err := io.ReadAll(io.LimitReader(opened, maxSecret+1))
	switch {
	case err != nil:
		return "", err
	case len(text) > maxSecret:
		return "", fmt.Errorf("%s is longer than any secret", file)
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" {
		return "", fmt.Errorf("%s is empty", file)
	}
	return secret, nil
}

// verbatim is the parser of a secret that is checked elsewhere.
func verbatim(text string) (string, error) { return text, nil }

// setSecrets sets the secrets whose flags are named from their variables.
func setSecrets(f *flag.FlagSet, names []string, origin origins) error {
	var errs []error
	for _, name := range names {
		value, ok := f.Lookup(name).Value.(secretFlag)
		own := variable(strings.TrimSuffix(name, fileSuffix))
		text := os.Getenv(own)
		switch {
		case !ok || text == "":
		case value.String() != "":
			errs = append(errs, fmt.Errorf("%s and --%s (%s) are both set: remove one", own, name, origin[name]))
		default:
			origin[name] = own
			if err := value.setSecret(text); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", own, err))
			}
		}
	}
	return errors.Join(errs...)
}

// refusedSecret reports whether a secret was set and refused.
func refusedSecret(f *flag.FlagSet, name string) bool {
	value, ok := f.Lookup(name + fileSuffix).Value.(secretFlag)
	return ok && value.status() == refused
}

package notify

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strconv"
	"strings"
	"time"
)

// How far the time of a signature may be from the verifier's clock, as the published SDK has it.
const (
	verifyPast   = 45 * time.Minute
	verifyFuture = time.Minute
)

// Verify checks a header X-Waffo-Signature over a raw body, as a merchant's server does, with a public key in PEM. Its error says
// what is wrong.
func Verify(publicKey, header string, body []byte, now time.Time) error {
	block, _ := pem.Decode([]byte(publicKey))
	if block == nil {
		return errors.New("the public key is not PEM")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return err
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return errors.New("the public key is not RSA")
	}
	stamp, encoded, found := strings.Cut(header, ",v1=")
	t, isTime := strings.CutPrefix(stamp, "t=")
	milli, err := strconv.ParseInt(t, 10, 64)
	if !found || !isTime || err != nil {
		return errors.New("the header is not t=…,v1=…")
	}
	if age := now.Sub(time.UnixMilli(milli)); age > verifyPast || age < -verifyFuture {
		return errors.New("the signature is too old or from the future")
	}
	signature, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return errors.New("the signature is not base64")
	}
	digest := sha256.Sum256(append([]byte(t+"."), body...))
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) != nil {
		return errors.New("the signature is not of this body under this key")
	}
	return nil
}

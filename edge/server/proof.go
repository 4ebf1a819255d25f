package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// prover returns what answers a nonce, so that crepe doctor sees whether the public URL leads to the deployment that it examines. The key
// is the random text that only the database of the deployment has; the answers do not tell it.
func prover(deployment string) func(nonce string) string {
	return func(nonce string) string {
		mac := hmac.New(sha256.New, []byte(deployment))
		mac.Write([]byte("crepe doctor\n" + nonce))
		return hex.EncodeToString(mac.Sum(nil))
	}
}

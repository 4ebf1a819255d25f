package main

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/goccy/go-json"
	"github.com/valyala/fasthttp"
)

// demoMerchant calls the API as the demo merchant's server would: with signatures, over HTTP.
type demoMerchant struct {
	baseURL string
	id      string
	key     *rsa.PrivateKey
}

func newDemoMerchant(baseURL, id, privateKey string) (*demoMerchant, error) {
	block, _ := pem.Decode([]byte(privateKey))
	if block == nil {
		return nil, errors.New("the demo merchant's private key is not PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	rsaKey, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("the demo merchant's private key is not RSA")
	}
	return &demoMerchant{baseURL, id, rsaKey}, nil
}

type demoSession struct {
	SessionID   string `json:"sessionId"`
	CheckoutURL string `json:"checkoutUrl"`
}

func (m *demoMerchant) createSession(productID, thanks string) (s demoSession, err error) {
	return s, m.call("/v1/actions/checkout/create-session", map[string]string{
		"productId": productID, "currency": "EUR", "successUrl": thanks}, &s)
}

func (m *demoMerchant) issueToken(storeID string) (token string, err error) {
	var issued struct {
		Token string `json:"token"`
	}
	err = m.call("/v1/actions/auth/issue-session-token", map[string]string{"storeId": storeID, "buyerIdentity": "demo-buyer"}, &issued)
	return issued.Token, err
}

// sign makes the headers of a request.
func (m *demoMerchant) sign(path string, body []byte) (map[string]string, error) {
	timestamp := strconv.FormatInt(time.Now().Unix(), 10)
	digest := sha256.Sum256(body)
	canonical := sha256.Sum256([]byte("POST\n" + path + "\n" + timestamp + "\n" + base64.StdEncoding.EncodeToString(digest[:])))
	signature, err := rsa.SignPKCS1v15(rand.Reader, m.key, crypto.SHA256, canonical[:])
	return map[string]string{"X-Merchant-Id": m.id, "X-Timestamp": timestamp,
		"X-Signature": base64.StdEncoding.EncodeToString(signature)}, err
}

// call signs and sends one request and reads the data of its answer.
func (m *demoMerchant) call(path string, request, data any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	headers, err := m.sign(path, body)
	if err != nil {
		return err
	}
	answer, err := post(m.baseURL+path, body, headers)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, &struct{ Data any }{data})
}

// post sends JSON to a server on this machine. An answer other than 200 is an error with the answer in it.
func post(url string, body []byte, headers map[string]string) ([]byte, error) {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.SetRequestURI(url)
	req.Header.SetMethod(fasthttp.MethodPost)
	req.Header.SetContentType("application/json")
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	req.SetBody(body)
	req.SetConnectionClose() // the next call may meet another process behind the address
	if err := fasthttp.DoTimeout(req, resp, 5*time.Second); err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	if resp.StatusCode() != fasthttp.StatusOK {
		return nil, &refusal{url, resp.StatusCode(), bytes.Clone(resp.Body())}
	}
	return bytes.Clone(resp.Body()), nil
}

// refusal is an answer that is no success.
type refusal struct {
	url    string
	status int
	body   []byte
}

func (r *refusal) Error() string { return fmt.Sprintf("%s answers %d: %s", r.url, r.status, r.body) }

package demo

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

// Client calls the API as the demo merchant's server does, with signed requests. It is safe for concurrent use.
type Client struct {
	baseURL string
	id      string
	key     *rsa.PrivateKey
}

// NewClient returns a client of the server at baseURL. The private key is one of [File].PrivateKey; it decides the environment.
func NewClient(baseURL, merchantID, privateKey string) (*Client, error) {
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
	return &Client{baseURL, merchantID, rsaKey}, nil
}

// Session is the answer of create-session.
type Session struct {
	SessionID   string `json:"sessionId"`
	CheckoutURL string `json:"checkoutUrl"`
}

// CreateSession creates a checkout session for a product. The buyer returns to successURL, or to the hosted status page if
// that is "".
func (c *Client) CreateSession(productID, successURL string) (s Session, err error) {
	return s, c.Call("/v1/actions/checkout/create-session", map[string]string{
		"productId": productID, "currency": "EUR", "successUrl": successURL}, &s)
}

// IssueToken issues a session token for the demo buyer.
func (c *Client) IssueToken(storeID string) (token string, err error) {
	var issued struct {
		Token string `json:"token"`
	}
	err = c.Call("/v1/actions/auth/issue-session-token", map[string]string{"storeId": storeID, "buyerIdentity": "demo-buyer"}, &issued)
	return issued.Token, err
}

// Sign returns the headers that authenticate a POST of body to path.
func (c *Client) Sign(path string, body []byte) (map[string]string, error) {
	timestamp := strconv.FormatInt(time.Now().Unix(), 10)
	digest := sha256.Sum256(body)
	canonical := sha256.Sum256([]byte("POST\n" + path + "\n" + timestamp + "\n" + base64.StdEncoding.EncodeToString(digest[:])))
	signature, err := rsa.SignPKCS1v15(rand.Reader, c.key, crypto.SHA256, canonical[:])
	return map[string]string{"X-Merchant-Id": c.id, "X-Timestamp": timestamp,
		"X-Signature": base64.StdEncoding.EncodeToString(signature)}, err
}

// Call signs and sends a request, and decodes the data of the response. A response other than 200 is a [*StatusError].
func (c *Client) Call(path string, request, data any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	headers, err := c.Sign(path, body)
	if err != nil {
		return err
	}
	response, err := Post(c.baseURL+path, body, headers)
	if err != nil {
		return err
	}
	return json.Unmarshal(response, &struct{ Data any }{data})
}

// Post sends JSON to a server on this machine and returns the body of the response. A response other than 200 is a
// [*StatusError].
func Post(url string, body []byte, headers map[string]string) ([]byte, error) {
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
	req.SetConnectionClose() // the next call may reach another process at the same address
	if err := fasthttp.DoTimeout(req, resp, 5*time.Second); err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	if resp.StatusCode() != fasthttp.StatusOK {
		return nil, &StatusError{url, resp.StatusCode(), bytes.Clone(resp.Body())}
	}
	return bytes.Clone(resp.Body()), nil
}

// StatusError is the error for a response whose status is not 200.
type StatusError struct {
	URL    string
	Status int
	Body   []byte
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s answers %d: %s", e.URL, e.Status, e.Body)
}

// AddWebhook adds a webhook endpoint that gets every event of a store, and returns its id.
func (c *Client) AddWebhook(storeID, url string) (id string, err error) {
	var added struct {
		Webhook struct {
			ID string `json:"id"`
		} `json:"webhook"`
	}
	err = c.Call("/v1/actions/store/add-webhook", map[string]any{"storeId": storeID, "channel": "http", "url": url, "testMode": true,
		"events": []string{"order.completed", "refund.succeeded", "refund.failed"}}, &added)
	return added.Webhook.ID, err
}

// RemoveWebhook removes a webhook endpoint.
func (c *Client) RemoveWebhook(id string) error {
	return c.Call("/v1/actions/store/remove-webhook", map[string]string{"id": id}, new(struct{}))
}

package admin

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/goccy/go-json"
	"github.com/valyala/fasthttp"
)

// Socket is the name of a running server's socket in its data directory.
const Socket = "admin.sock"

// maxSocketPath is the length of a socket's path in bytes that every system allows; Linux allows 107, macOS 103.
const maxSocketPath = 103

// timeout limits an operation over the socket.
const timeout = 30 * time.Second

// Listen creates the socket in a data directory. Only the user of this process can open it. The caller must hold the lock of
// the database: Listen replaces a socket that a crashed server has left.
func Listen(data string) (net.Listener, error) {
	path, err := socketPath(data)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

// socketPath is the path of the socket, relative to the working directory if that is shorter.
func socketPath(data string) (string, error) {
	path := filepath.Join(data, Socket)
	if wd, err := os.Getwd(); err == nil {
		if relative, err := filepath.Rel(wd, path); err == nil && len(relative) < len(path) {
			path = relative
		}
	}
	if len(path) > maxSocketPath {
		return "", fmt.Errorf("the path of the socket %s has %d bytes, more than %d: choose a shorter --data", path, len(path), maxSocketPath)
	}
	return path, nil
}

// Client performs the operations on a data directory ([Perform]).
type Client struct {
	send  func(*fasthttp.Request, *fasthttp.Response) error
	close func() error
}

// Dial connects to the server that runs on a data directory; nil when none answers.
func Dial(data string) *Client {
	path, err := socketPath(data)
	if err != nil {
		return nil
	}
	connection, err := net.Dial("unix", path)
	if err != nil {
		return nil
	}
	connection.Close()
	client := &fasthttp.HostClient{Addr: Socket, Dial: func(string) (net.Conn, error) { return net.Dial("unix", path) },
		ReadTimeout: timeout, WriteTimeout: timeout}
	return &Client{client.Do, func() error { client.CloseIdleConnections(); return nil }}
}

// Client returns a client of a in this process. Its Close calls close.
func (a *Admin) Client(close func() error) *Client {
	send := func(request *fasthttp.Request, response *fasthttp.Response) error {
		var ctx fasthttp.RequestCtx
		ctx.Init(request, nil, nil)
		a.Handle(&ctx)
		ctx.Response.CopyTo(response)
		return nil
	}
	return &Client{send, close}
}

// Close releases what the client holds.
func (c *Client) Close() error { return c.close() }

// Perform performs the operation of a path. A refusal is an error with the server's text.
func Perform[Out any](c *Client, path string, in any) (out Out, err error) {
	var request fasthttp.Request
	var response fasthttp.Response
	body, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	request.Header.SetMethod(fasthttp.MethodPost)
	request.SetRequestURI("http://" + Socket + path)
	request.Header.SetContentType("application/json")
	request.SetBody(body)
	if err := c.send(&request, &response); err != nil {
		return out, fmt.Errorf("the server did not answer: %w", err)
	}
	if response.StatusCode() != fasthttp.StatusOK {
		var failure Failure
		if json.Unmarshal(response.Body(), &failure) != nil || failure.Error == "" {
			return out, fmt.Errorf("the server answered %d", response.StatusCode())
		}
		return out, errors.New(failure.Error)
	}
	return out, json.Unmarshal(response.Body(), &out)
}

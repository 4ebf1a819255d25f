package dashboard

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/throttle"
)

const (
	loginPath  = Path + "/login"
	logoutPath = Path + "/logout"

	cookieName = "crepe-dashboard"

	// MinToken is the length in bytes of the shortest token that may be used.
	MinToken = 32

	loginLife = 8 * time.Hour
	maxLogins = 100 // at one time; one more ends the oldest

	// Tries to log in, in one second: wrong ones of one client address, and all of all addresses.
	loginRate     = 0.5
	allLoginsRate = 10
)

// login is what a visitor who has logged in knows. Its form token is in every form, so that a page of another site, which cannot
// read it, can send none.
type login struct {
	formToken string
	until     time.Time
}

// knows reports whether a form carries the form token.
func (l *login) knows(token string) bool {
	return subtle.ConstantTimeCompare([]byte(l.formToken), []byte(token)) == 1
}

// logins are the logins of this process, by the hash of the cookie's value. A restart ends them.
type logins struct {
	random io.Reader
	open   *login // of every visitor when there is no token

	mutex sync.Mutex
	byID  map[[sha256.Size]byte]*login
}

func newLogins(random io.Reader) *logins {
	l := &logins{random: random, byID: make(map[[sha256.Size]byte]*login)}
	l.open = &login{formToken: l.text()}
	return l
}

// text returns 256 random bits as text.
func (l *logins) text() string {
	var bits [32]byte
	if _, err := io.ReadFull(l.random, bits[:]); err != nil {
		panic(err) // without random numbers nobody may log in
	}
	return base64.RawURLEncoding.EncodeToString(bits[:])
}

// add returns the cookie's value of a new login.
func (l *logins) add(now time.Time) string {
	id := l.text()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	var oldest [sha256.Size]byte
	end := time.Time{}
	for key, one := range l.byID {
		switch {
		case !now.Before(one.until):
			delete(l.byID, key)
		case end.IsZero() || one.until.Before(end):
			oldest, end = key, one.until
		}
	}
	if len(l.byID) >= maxLogins {
		delete(l.byID, oldest)
	}
	l.byID[sha256.Sum256([]byte(id))] = &login{formToken: l.text(), until: now.Add(loginLife)}
	return id
}

// find returns the login of a cookie's value.
func (l *logins) find(id string, now time.Time) (*login, bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	found, ok := l.byID[sha256.Sum256([]byte(id))]
	return found, ok && now.Before(found.until)
}

func (l *logins) remove(id string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	delete(l.byID, sha256.Sum256([]byte(id)))
}

// loggedIn returns the login of a request.
func (h *Handler) loggedIn(ctx *fasthttp.RequestCtx) (*login, bool) {
	if h.config.Token == "" {
		return h.logins.open, true
	}
	return h.logins.find(string(ctx.Request.Header.Cookie(cookieName)), h.config.Now())
}

// loginPage is the form that asks for the token.
type loginPage struct {
	frame
	Next  string // where the visitor wanted to go
	Error string
}

// login serves the form, and checks the token that it sends.
func (h *Handler) login(ctx *fasthttp.RequestCtx) {
	page := &loginPage{frame: frame{Title: "Log in"}, Next: nextPath(string(ctx.QueryArgs().Peek("next")))}
	if !ctx.IsPost() {
		h.render(ctx, fasthttp.StatusOK, "login", page)
		return
	}
	page.Next = nextPath(string(ctx.PostArgs().Peek("next")))
	now := h.config.Now()
	client := h.config.GeoIP.Client(ctx.RemoteIP(), ctx.Request.Header.PeekAll("X-Forwarded-For"))
	err := h.attempts.AdmitCredential(client, now)
	if err == nil {
		err = h.attempts.Admit("", "", now)
	}
	if err != nil {
		ctx.Response.Header.Set("Retry-After", throttle.RetryAfter(err))
		page.Error = "Too many tries. Wait " + seconds(err) + " and try again."
		h.render(ctx, fasthttp.StatusTooManyRequests, "login", page)
		return
	}
	if !equal(string(ctx.PostArgs().Peek("secret")), h.config.Token) {
		h.attempts.CredentialFailed(client, now)
		h.config.Log.WarnContext(ctx, "a login to the dashboard was refused")
		page.Error = "That is not the token. It is the value of CREPE_DASHBOARD_TOKEN, or the content of the file that was set instead."
		h.render(ctx, fasthttp.StatusForbidden, "login", page)
		return
	}
	h.setCookie(ctx, h.logins.add(now), loginLife)
	redirect(ctx, page.Next)
}

func seconds(err error) string {
	wait := time.Second
	if refusal, ok := errors.AsType[*throttle.Refusal](err); ok {
		wait = max(wait, refusal.RetryAfter())
	}
	if n := int(math.Ceil(wait.Seconds())); n > 1 {
		return strconv.Itoa(n) + " seconds"
	}
	return "a second"
}

// equal compares in a time that depends on neither content nor length of the secret. Spaces around what was typed do not count.
func equal(typed, secret string) bool {
	a, b := sha256.Sum256([]byte(strings.TrimSpace(typed))), sha256.Sum256([]byte(secret))
	return hmac.Equal(a[:], b[:])
}

// nextPath returns the path of the dashboard to go to after the login. Any other path could lead elsewhere.
func nextPath(path string) string {
	if Serves([]byte(path)) && !strings.ContainsAny(path, "\\\r\n") && !strings.HasPrefix(path, loginPath) {
		return path
	}
	return Path
}

// askToLogin redirects to the form. What a form has sent is lost.
func (h *Handler) askToLogin(ctx *fasthttp.RequestCtx) {
	to := loginPath
	if ctx.IsGet() && string(ctx.Path()) != Path {
		var query fasthttp.Args
		query.SetBytesV("next", ctx.RequestURI())
		to += "?" + query.String()
	}
	redirect(ctx, to)
}

func (h *Handler) logout(ctx *fasthttp.RequestCtx) {
	h.logins.remove(string(ctx.Request.Header.Cookie(cookieName)))
	h.setCookie(ctx, "", -time.Second)
	redirect(ctx, loginPath)
}

// setCookie sets the cookie for the pages of the dashboard only.
func (h *Handler) setCookie(ctx *fasthttp.RequestCtx, value string, life time.Duration) {
	var c fasthttp.Cookie
	c.SetKey(cookieName)
	c.SetValue(value)
	c.SetPath(Path)
	c.SetHTTPOnly(true)
	c.SetSameSite(fasthttp.CookieSameSiteStrictMode)
	c.SetSecure(strings.HasPrefix(h.config.PublicURL, "https://"))
	c.SetMaxAge(int(life.Seconds()))
	if life < 0 {
		c.SetExpire(fasthttp.CookieExpireDelete)
	}
	ctx.Response.Header.SetCookie(&c)
}

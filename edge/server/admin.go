package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/backup"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/erasure"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/plugins"
	"github.com/crepe-checkout/crepe/edge/record"
)

// openAdmin serves the operator's operations on the socket. A failure is logged: orders can be taken without a socket.
func (s *server) openAdmin() {
	listener, err := admin.Listen(s.Data)
	if err != nil {
		s.log.Error("the operator's commands do not reach this server", "error", err)
		return
	}
	handler := admin.New(admin.Config{Orders: s.orders, Reviews: s.db, VATChecks: s.db, Auth: s.auth, Accounts: accounts(s.db), Shops: s.shops, Lists: s.db,
		Notify: s.notify, Invoices: s.invoices, Erasures: erasures(s.db), Rules: rules(s.db), PublicURL: s.PublicURL, Backups: adminBackups(s.backups), Metrics: s.writeMetrics, OpenFiles: OpenFiles(), Prove: s.prove, Log: s.log}).Handle
	s.admin = startHTTP(listener, func(ctx *fasthttp.RequestCtx) {
		defer s.recovered(ctx)
		if err := readBodyOf(ctx, admin.MaxRequest); err != nil {
			ctx.SetConnectionClose()
			admin.Unreadable(ctx, err)
			return
		}
		handler(ctx)
	}, s.log)
}

// OpenAdmin returns a client of the server that runs on a data directory. Without one it opens the database and performs the
// operations itself: the one at the URL store, or with "" the one in the directory, which is encrypted with the key or with nil is not. It waits a few seconds for a server that is starting
// or ending, so that a script can start a server and go on with the operator's commands. The caller closes the client.
func OpenAdmin(data, store string, key []byte, log *slog.Logger) (*admin.Client, error) {
	return retry(func() (*admin.Client, error) { return openAdmin(data, store, key, log) }, durable.ErrInUse, fs.ErrNotExist)
}

func openAdmin(data, store string, key []byte, log *slog.Logger) (*admin.Client, error) {
	if client := admin.Dial(data); client != nil {
		return client, nil
	}
	db, err := openStopped(data, store, key, log)
	if err != nil {
		return nil, err
	}
	made, err := newBackups(context.Background(), db, true, log)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return adminOf(db, made, log), nil
}

// openStopped opens the records of a server that does not run here.
func openStopped(data, store string, key []byte, log *slog.Logger) (record.Store, error) {
	if store != "" {
		return openShared(store, pgstore.Options{Log: log})
	}
	if !durable.Exists(filepath.Join(data, ownDatabase)) { // a server that is just creating it must not find it taken
		return nil, fmt.Errorf("there is no database of crepe in %s; --data DIR names the data directory of the server, which its first start creates: %w",
			data, fs.ErrNotExist)
	}
	db, err := openStore(data, badgerstore.Options{Log: log, EncryptionKey: key})
	if errors.Is(err, durable.ErrInUse) {
		return nil, fmt.Errorf("a crepe that runs on %s does not answer on its socket %s: it is starting or ending, or its log says why: %w",
			data, admin.Socket, err)
	}
	if err != nil {
		return nil, err
	}
	return db, nil
}

// adminOf performs an operator's operations on records, which the client closes.
func adminOf(db record.Store, made *backup.Service, log *slog.Logger) *admin.Client {
	return admin.New(admin.Config{
		Orders:  orders.New(orders.Config{Store: db, Now: time.Now, Rand: rand.Reader, Log: log}),
		Reviews: db, VATChecks: db,
		Auth: auth.New(auth.Config{Catalog: db, Keys: db, Tokens: db, Now: time.Now, Rand: rand.Reader}),

		Accounts: accounts(db),
		Shops:    catalog.New(catalog.Config{Records: db, Now: time.Now, Rand: rand.Reader}),
		Lists:    db,
		Notify:   notify.New(notify.Config{Store: db, Orders: db, Catalog: db, Now: time.Now, Rand: rand.Reader, Log: log}),
		Invoices: invoices.New(invoices.Config{Store: db, Orders: db, Catalog: db, VATChecks: db, Now: time.Now, Rand: rand.Reader, Log: log}),
		Erasures: erasures(db),
		Rules:    rules(db),
		Backups:  adminBackups(made),
		Log:      slog.New(slog.DiscardHandler), // the command prints what it has done
	}).Client(func() error {
		if made != nil {
			made.Close()
		}
		return db.Close()
	})
}

func erasures(db erasure.Database) *erasure.Service {
	return &erasure.Service{Store: db, Now: time.Now, Rand: rand.Reader}
}

func rules(db plugins.Store) *plugins.Service {
	return &plugins.Service{Store: db, Now: time.Now}
}

func accounts(db catalog.Records) *catalog.Accounts {
	return &catalog.Accounts{Records: db, Now: time.Now, Rand: rand.Reader}
}

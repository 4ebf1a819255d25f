package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/server"
)

// examineDatabase connects to the server, or else opens the database.
func (d *doctor) examineDatabase(ctx context.Context, log *slog.Logger) {
	if d.Store != "" && !d.examineSchema(ctx) {
		return
	}
	if _, err := os.Stat(filepath.Join(d.Data, "db")); d.Store == "" && errors.Is(err, fs.ErrNotExist) {
		d.warn("database", "the first start creates it; if there is one elsewhere, name its directory with --data", "there is none in %s", d.Data)
		return
	}
	client, err := server.OpenAdmin(d.Data, d.Store, d.EncryptionKey, log)
	if err != nil {
		d.fail("database", "start or repair the server; run crepe doctor as its user", "it cannot be read: %v", err)
		return
	}
	d.client, d.nonce = client, rand.Text()
	if d.status, err = admin.Perform[admin.Status](client, admin.GetStatus, admin.StatusRequest{Nonce: d.nonce}); err != nil {
		d.fail("database", "restart the server with this version of crepe", "the server on %s does not tell its status: %v", d.Data, err)
		return
	}
	if d.status.PublicURL == "" {
		d.ok("database", "no server runs on %s; its database opens and is complete", d.Data)
		return
	}
	d.ok("database", "a server runs on %s and answers", d.Data)
	if given := d.url(); given != d.status.PublicURL {
		d.warn("settings", "give the doctor the settings of the server, with --config or its variables", "the server runs with the public URL %s, these settings have %s",
			d.status.PublicURL, given)
	}
}

// examineSchema reports whether PostgreSQL can be used.
func (d *doctor) examineSchema(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	migrations, err := pgstore.Migrations(ctx, d.Store)
	if err != nil {
		d.fail("database", "check the address, the user, the password and the firewall", "PostgreSQL cannot be asked: %v", err)
		return false
	}
	missing := 0
	for _, m := range migrations {
		if !m.Applied {
			missing++
		}
	}
	if missing > 0 {
		d.fail("database", "run crepe migrate up with the same settings", "its schema lacks %s", plural(missing, "change"))
		return false
	}
	d.ok("schema", "PostgreSQL has all %s", plural(len(migrations), "change"))
	return true
}

// examineAccounts checks that somebody can sell.
func (d *doctor) examineAccounts(context.Context) {
	if d.client == nil {
		return
	}
	merchants, err := allMerchants(d.client)
	stores, keys := 0, make(map[checkout.Environment]int)
	for _, m := range merchants {
		page, storesErr := admin.Perform[admin.Stores](d.client, admin.ListStores, admin.ListStoresRequest{MerchantID: m.ID})
		err = errors.Join(err, storesErr)
		stores += len(page.Items)
		for env, n := range m.LiveKeys {
			keys[env] += n
		}
	}
	_, sells := d.Stripe[checkout.Prod]
	switch {
	case err != nil:
		d.fail("merchants", "see the log of the server", "they cannot be listed: %v", err)
	case len(merchants) == 0:
		d.warn("merchants", "crepe merchant create --name NAME"+dataFlag(d.Data), "there is no merchant, so nothing can be sold")
	case sells && keys[checkout.Prod] == 0:
		d.warn("merchants", "crepe key create --env prod"+dataFlag(d.Data), "no merchant has a live API key of prod")
	case keys[checkout.Test]+keys[checkout.Prod] == 0:
		d.warn("merchants", "crepe key create --env test"+dataFlag(d.Data), "no merchant has a live API key")
	case stores == 0:
		d.warn("merchants", "crepe store create --name NAME --seller-country CC"+dataFlag(d.Data), "there is no store")
	default:
		d.ok("merchants", "%s, %s of test, %d of prod, %s", plural(len(merchants), "merchant"), plural(keys[checkout.Test], "live key"), keys[checkout.Prod],
			plural(stores, "store"))
	}
}

// examinePermissions looks for files that other users can read or change. Those of secrets that are refused, and of
// --tls-key, are among the settings' faults.
func (d *doctor) examinePermissions(context.Context) {
	faults := d.count(failed) + d.count(warning)
	for _, dir := range []string{d.Data, filepath.Join(d.Data, "db")} {
		if info, err := os.Stat(dir); err == nil && exposed(info) {
			d.fail("permissions", "chmod -R go= "+d.Data, "other users can read %s, which has personal data and keys", dir)
			break
		}
	}
	for _, name := range settingNames(d.flags) {
		secret, ok := d.flags.Lookup(name).Value.(secretFlag)
		if !ok || secret.String() == "" || secret.status() == refused {
			continue
		}
		file := secret.String()
		switch info, err := os.Stat(file); {
		case err != nil:
		case exposed(info):
			d.fail("permissions", "chmod 600 "+file, "other users can read or change %s of --%s", file, name)
		case readableByAll(info):
			d.warn("permissions", "chmod o= "+file+", unless only this container has it", "every user of this machine can read %s of --%s", file, name)
		}
	}
	if file := d.flags.Lookup("config").Value.String(); file != "" {
		if info, err := os.Stat(file); err == nil && changeableByAll(info) {
			d.fail("permissions", "chmod go-w "+file, "every user of this machine can change %s", file)
		}
	}
	if faults == d.count(failed)+d.count(warning) {
		d.ok("permissions", "the data directory and the files of secrets are private")
	}
}

// examineDisk compares the free space with the reserve, below which new orders are refused.
func (d *doctor) examineDisk(context.Context) {
	if d.Store != "" {
		return // which is on a disk of PostgreSQL's
	}
	dir := d.Data
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		dir = filepath.Dir(dir)
	}
	free, err := durable.FreeSpace(dir)
	const do = "free space, or move the data directory to a larger disk"
	switch {
	case err != nil:
		d.fail("disk", "see the error", "its space is not known: %v", err)
	case free < d.DiskReserve:
		d.fail("disk", do, "%d MiB are free, less than --disk-reserve %d: new orders are refused", free>>20, d.DiskReserve>>20)
	case free < 4*d.DiskReserve:
		d.warn("disk", do, "%d MiB are free, not much more than --disk-reserve %d", free>>20, d.DiskReserve>>20)
	default:
		d.ok("disk", "%d MiB are free; new orders are refused below %d", free>>20, d.DiskReserve>>20)
	}
}

// otherFiles is how many files a server opens beside connections: those of the database, sockets to the provider and to merchants.
const otherFiles = 512

// examineOpenFiles compares the limit of open files with that of connections.
func (d *doctor) examineOpenFiles(context.Context) {
	limit, whose := d.status.OpenFiles, "the server"
	if limit == 0 {
		limit, whose = server.OpenFiles(), "this shell, whose limit a server started here would have,"
	}
	const do = "raise it (LimitNOFILE of the systemd unit, ulimit -n), or lower --connections"
	switch need := uint64(d.Connections + otherFiles); {
	case limit == 0:
	case d.Connections > 0 && limit < need:
		d.fail("open files", do, "%s may have %d open; --connections %d and the database need %d", whose, limit, d.Connections, need)
	case d.Connections == 0 && limit < 16<<10:
		d.warn("open files", do, "%s may have %d open, and the connections have no limit", whose, limit)
	default:
		d.ok("open files", "%s may have %d open; --connections is %s", whose, limit, d.flags.Lookup("connections").Value)
	}
}

// examineBackups compares the age of the last backup with the interval at which the server makes one.
func (d *doctor) examineBackups(context.Context) {
	if d.Store != "" {
		return // which has backups of its own
	}
	directory, every := d.Backups.Directory, d.Backups.Every
	if directory == "" {
		d.warn("backups", "set --backup-dir, or run crepe backup by cron", "the server makes no backups")
		return
	}
	const do = "see the server's log, and run crepe backup"
	last, err := server.LastBackup(directory)
	switch age := time.Since(last); {
	case errors.Is(err, fs.ErrNotExist):
		d.fail("backups", do, "there is no directory %s", directory)
	case err != nil:
		d.fail("backups", do, "%v", err)
	case age > 2*every:
		d.fail("backups", do, "the last one in %s is %s old; --backup-every is %s", directory, age.Round(time.Second), every)
	default:
		d.ok("backups", "the last one in %s is %s old", directory, age.Round(time.Second))
	}
}

// examineMail looks the mail server up.
func (d *doctor) examineMail(ctx context.Context) {
	if d.SMTP == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	if _, err := net.DefaultResolver.LookupHost(ctx, d.SMTP.Host); err != nil {
		d.fail("mail", "correct the host of CREPE_SMTP_URL, or the name servers of this machine", "the mail server has no address: %v", err)
		return
	}
	d.ok("mail", "the mail server %s has an address", d.SMTP.Host)
}

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/server"
)

const backupUsage = `crepe backup makes a backup of the database in a directory, while the server runs or while it is stopped. Each backup is a file
and a point in time that can be restored.

The first backup is a full one, the next ones of the same run of the server have what has changed since. A day later, after a restart and
in another directory the next one is a full one again; so is each backup of a stopped server. The server writes the files: its user
needs the right to. They hold personal data and keys, unencrypted also where the database is encrypted, and are readable by that user only.

"crepe backup drill DIR" restores the last backup into a temporary directory (TMPDIR), reads every record, and removes it again. If it is
killed, remove crepe-drill-* there yourself.

Examples:
  crepe backup /mnt/backups --data /var/lib/crepe
  0 * * * * crepe backup /mnt/backups --keep 14 --data /var/lib/crepe
      In a crontab of the server's user: every hour; every point of the last 14 days can be restored. "crepe serve --backup-dir" does the
      same without cron.
  crepe backup drill /mnt/backups
      Proves that the backups can be restored. Its exit status is 1 if they cannot.

"crepe restore" restores a backup, "crepe verify" reads every record of one. With --store the database is PostgreSQL, which has
pg_basebackup and pg_dump.

Settings:
`

// backupPoll is the interval at which a command asks how far a backup is.
const backupPoll = 100 * time.Millisecond

// backup makes a backup, or restores one on trial.
func backup(ctx context.Context, args []string, stdout, stderr io.Writer, log *slog.Logger) error {
	o := newOperation("backup", backupUsage, stdout, log)
	var r admin.BackupRequest
	o.flags.BoolVar(&r.Full, "full", false, "make a full backup also where an incremental one is possible")
	parsed(o.flags, &r.Keep, "keep", "", parseKeep, "remove backups that no point of the last `days` needs; default: none")
	arguments, err := o.parse(args)
	switch {
	case err != nil:
		return err
	case o.store.url != "":
		return admin.NoBackups
	case len(arguments) == 2 && arguments[0] == "drill":
		return o.drill(ctx, arguments[1], stderr)
	case len(arguments) != 1:
		return misuse(o.flags, "expected one DIR: where the backups are, or drill DIR")
	}
	if r.Directory, err = filepath.Abs(arguments[0]); err != nil {
		return err
	}
	return o.open(func(c *admin.Client) error { return o.makeBackup(ctx, c, r, stderr) })
}

// makeBackup starts a backup and waits for it.
func (o *operation) makeBackup(ctx context.Context, c *admin.Client, r admin.BackupRequest, stderr io.Writer) error {
	p := newTransferProgress(stderr)
	status, err := admin.Perform[admin.BackupStatus](c, admin.StartBackup, r)
	number := status.Number
	for err == nil && status.Running {
		p.show("backed up", status.Records, 0)
		select {
		case <-time.After(backupPoll):
		case <-ctx.Done():
			return errors.New("interrupted; a running server completes the backup")
		}
		status, err = admin.Perform[admin.BackupStatus](c, admin.GetBackupStatus, struct{}{})
		if err == nil && status.Number != number {
			err = errors.New("the server makes its next backup already; its log says what became of this one")
		}
	}
	p.end()
	if err == nil && status.Error != "" {
		err = errors.New(status.Error)
	}
	return o.print(status, err, func() {
		kind := "incremental"
		if status.Full {
			kind = "full"
		}
		fmt.Fprintf(o.stdout, "%s: %s backup of %d records, %s in %s\n", status.File, kind, status.Records, size(status.Bytes), rounded(status.Took))
	})
}

// count is show for an unknown total.
func (p *transferProgress) count(step string, entries int) { p.show(step, entries, 0) }

// drill restores the last backup on trial.
func (o *operation) drill(ctx context.Context, directory string, stderr io.Writer) error {
	p := newTransferProgress(stderr)
	restored, err := server.Drill(ctx, directory, p.count, o.log)
	p.end()
	return o.print(restored, err, func() {
		fmt.Fprintln(o.stdout, "The last backup can be restored, and every record of it can be read.")
		o.printRestoration(restored)
	})
}

// printRestoration prints what was restored.
func (o *operation) printRestoration(r *server.Restoration) {
	newest := "none"
	if !r.Records.NewestOrder.IsZero() {
		newest = r.Records.NewestOrder.Format(time.RFC3339)
	}
	fmt.Fprintf(o.stdout, "point:         %s (%s)\nbackup:        %d files, %s\nrecords:       %d, of them %d orders\nnewest order:  %s\ntime taken:    %s\n",
		r.Point.Format(time.RFC3339Nano), r.File, r.Files, size(r.Bytes), r.Records.Total(), r.Records.Orders(), newest, rounded(r.Took))
}

const restoreUsage = `crepe restore makes a data directory of a backup. It verifies all files that it needs before it writes anything, writes into a
directory beside the new one, reads every record, and renames the directory at the end. A chain of backups with a file that is
changed, cut short, missing or another deployment's is refused, and so is a directory that exists.

Before the first start on the new directory takes orders it compares them with the payment provider's records: sessions that were paid
after the backup are not sold again.

Examples:
  crepe restore /mnt/backups --data /var/lib/crepe-restored
      Restores the last backup; with --encryption-key-file into an encrypted directory.
  crepe restore /mnt/backups --to 2026-11-29T12:00:00Z --data /var/lib/crepe-restored
      Restores the last backup of that time or before it.

Settings:
`

// restore restores a backup into a new data directory.
func restore(ctx context.Context, args []string, stdout, stderr io.Writer, log *slog.Logger) error {
	o := offlineOperation("restore", restoreUsage, stdout, log)
	r := server.Restore{Log: log}
	o.flags.StringVar(&r.Data, "data", "", "the data `directory` to create")
	parsed(o.flags, &r.To, "to", "", parseInstant, "restore the last backup at or before a `time`; default: the last of all")
	directory, err := o.directory(args)
	if err != nil {
		return err
	}
	if r.Data == "" {
		return misuse(o.flags, "--data NEWDIR is needed: the directory to create")
	}
	p := newTransferProgress(stderr)
	r.Backups, r.Progress, r.EncryptionKey = directory, p.count, o.key
	restored, err := r.Run(ctx)
	p.end()
	return o.print(restored, err, func() {
		fmt.Fprintf(o.stdout, "Restored %s.\n", r.Data)
		o.printRestoration(restored)
		fmt.Fprintf(o.stdout, restoredNext, restored.Point.Format(time.RFC3339), r.Data)
	})
}

const restoredNext = `
Orders, payments and settings of after %s are not in it. Next:
  1. Make sure that no server runs on the old directory any more.
  2. Start the server with --data %s, as its user and with the same --public-url and keys of Stripe. Before it takes orders it
     compares them with the provider's records.
  3. crepe orders quarantine: payments of orders that only the lost database knew.
`

const verifyUsage = `crepe verify reads every record of a data directory whose server is stopped, or of a directory of backups, without changing a record.
It prints what there is, and the first fault. Its exit status is 1 if there is one.

Examples:
  crepe verify /mnt/backups
      Verifies each file of each chain of backups, and decodes every record.
  crepe verify /var/lib/crepe
      Verifies the database as a start does, and decodes every record.

Settings:
`

// verify reads every record of a data directory or of a directory of backups.
func verify(ctx context.Context, args []string, stdout, stderr io.Writer, log *slog.Logger) error {
	o := offlineOperation("verify", verifyUsage, stdout, log)
	directory, err := o.directory(args)
	if err != nil {
		return err
	}
	p := newTransferProgress(stderr)
	v, err := server.Verify(ctx, directory, o.key, func(n int) { p.show("read", n, 0) }, log)
	p.end()
	if *o.json {
		return errors.Join(o.printJSON(v), err)
	}
	var rows [][]string
	for _, c := range v.Chains {
		rows = append(rows, []string{c.From.Format(time.RFC3339Nano), c.To.Format(time.RFC3339Nano), fmt.Sprint(c.Points), fmt.Sprint(c.Changes), size(c.Bytes)})
	}
	if rows != nil {
		o.printTable("FROM TO POINTS RECORDS SIZE", rows)
	}
	if err == nil || v.Total() > 0 {
		v.Print(stdout)
	}
	if err == nil {
		fmt.Fprintln(stdout, "No fault was found.")
	}
	return err
}

// offlineOperation is an operation on a directory, which no server takes part in.
func offlineOperation(command, usage string, stdout io.Writer, log *slog.Logger) *operation {
	f := newFlags(command, usage)
	o := &operation{flags: f, store: storeFlag(f), config: configFlag(f), json: f.Bool("json", false, "print JSON, for programs"), stdout: stdout, log: log}
	encryptionKey(f, &o.key)
	return o
}

// directory parses the flags and returns the only argument. PostgreSQL is refused.
func (o *operation) directory(args []string) (string, error) {
	arguments, err := o.parse(args)
	switch {
	case err != nil:
		return "", err
	case o.store.url != "":
		return "", admin.NoBackups
	case len(arguments) != 1:
		return "", misuse(o.flags, "expected one DIR")
	}
	return arguments[0], nil
}

// backupSettings declares the flags of the backups that a server makes by itself.
func backupSettings(f *flag.FlagSet, b *server.Backups) {
	f.StringVar(&b.Directory, "backup-dir", "", "`directory` of the backups that the server makes; default: it makes none")
	parsed(f, &b.Every, "backup-every", "1h", parseBackupEvery, "how often it makes one, a `duration`")
	parsed(f, &b.Keep, "backup-keep", "14d", parseKeep, "how far back every backup is kept, in `days`")
}

func parseBackupEvery(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Second {
		return 0, errors.New("expected a duration of a second or more, something like 1h")
	}
	return d, nil
}

// parseKeep parses a number of days, "14" or "14d"; "" is 0.
func parseKeep(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	return parseDays(strings.TrimSuffix(text, "d") + "d")
}

// parseInstant parses a time; "" is the zero time.
func parseInstant(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, errors.New("expected a time with its zone, something like 2026-11-29T12:00:00Z")
}

// size formats a number of bytes.
func size(bytes int64) string {
	if bytes < 1e6 {
		return fmt.Sprintf("%.1f KB", float64(bytes)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}

func rounded(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

package admin

import (
	"context"
	"time"

	"github.com/crepe-checkout/crepe/core/problem"
)

// Backups makes backups of the embedded database, one at a time.
type Backups interface {
	// StartBackup begins to make a backup, and returns the status of that one. One that is being made is an error.
	StartBackup(BackupRequest) (BackupStatus, error)
	BackupStatus() BackupStatus
}

// BackupRequest is a backup to make.
type BackupRequest struct {
	Directory string        `json:"directory"` // absolute; the server writes into it
	Full      bool          `json:"full"`      // not an incremental one
	Keep      time.Duration `json:"keep"`      // how far back points are kept, in nanoseconds; 0 keeps all
}

// BackupStatus is how far a backup is, or what became of the last one.
type BackupStatus struct {
	Number   int           `json:"number"` // of the backup, from 1 at each start of the server
	Running  bool          `json:"running"`
	File     string        `json:"file,omitempty"` // "" before the first one
	Full     bool          `json:"full"`
	Records  int           `json:"records"` // changes of keys, those of indexes included
	Bytes    int64         `json:"bytes"`
	Point    time.Time     `json:"point"`             // what it restores
	Took     time.Duration `json:"took"`              // nanoseconds
	Error    string        `json:"error,omitempty"`   // of the last one
	LastGood time.Time     `json:"lastGood,omitzero"` // the point of the last complete one that is known
}

// NoBackups is the refusal of a backup of PostgreSQL.
var NoBackups = refusef(problem.Invalid, "the records are in PostgreSQL, which has backups of its own: pg_basebackup with an archive of the WAL, "+
	"or pg_dump --format custom")

func (a *Admin) startBackup(_ context.Context, in BackupRequest) (BackupStatus, error) {
	if a.config.Backups == nil {
		return BackupStatus{}, NoBackups
	}
	status, err := a.config.Backups.StartBackup(in)
	if err != nil {
		return BackupStatus{}, refusef(problem.Conflict, "%v", err)
	}
	return status, nil
}

func (a *Admin) backupStatus(context.Context, struct{}) (BackupStatus, error) {
	if a.config.Backups == nil {
		return BackupStatus{}, NoBackups
	}
	return a.config.Backups.BackupStatus(), nil
}

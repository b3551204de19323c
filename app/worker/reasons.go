package worker

import (
	"errors"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
	"github.com/imprompt/imprompt/loader/store/database"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/imageproc/pose"
)

// recordError is an error of what was done to a record.
type recordError struct {
	record string
	error
}

func (e recordError) Unwrap() error { return e.error }

// failed tells the page of an error: in its words, and for what reason, from which the page knows what the visitor can do.
func failed(err error) protocol.Failed {
	f := protocol.Failed{Message: err.Error()}
	var (
		of        recordError
		open      *gpu.OpenError
		memory    *gpu.OutOfMemoryError
		damaged   *store.DamagedError
		byHand    *loader.ByHandError
		transient loader.Transient
	)
	if errors.As(err, &of) {
		f.Record = of.record
	}
	switch {
	case errors.Is(err, store.ErrPermission):
		f.Reason = protocol.Permission
	case errors.As(err, &open):
		f.Reason = open.Kind
	case errors.As(err, &memory):
		f.Reason = protocol.Memory
	case errors.Is(err, store.ErrFull):
		f.Reason = protocol.Full
	case errors.Is(err, store.ErrTaken):
		f.Reason = protocol.Taken
	case errors.As(err, &damaged):
		f.Reason = protocol.Damaged
		if f.Record == "" {
			f.Record = damaged.File
		}
	case errors.Is(err, database.ErrNewer):
		f.Reason = protocol.Outdated
	case errors.As(err, &byHand): // a server that cannot be reached may also be one that refuses
		f.Reason = protocol.Refused
	case errors.As(err, &transient):
		f.Reason = protocol.Unreachable
	case errors.Is(err, imageproc.ErrFormat), errors.Is(err, pose.ErrNobody):
		f.Reason = protocol.WrongPicture
	}
	return f
}
